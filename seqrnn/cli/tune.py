"""`seqrnn tune`: a search for settings within a time budget."""

from __future__ import annotations

import shlex
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqrnn.cli.setting_flags import config_flags
from seqrnn.cli.shared_options import AssignmentsOption, ConfigOption
from seqrnn.errors import UsageError

if TYPE_CHECKING:
    from seqrnn.cli.tuning_console import TuningConsole
    from seqrnn.config_file import Layer
    from seqrnn.library.final_test import FinalTest
    from seqrnn.library.plan import Plan
    from seqrnn.library.tuning import Trial, Tuning


@config_flags
def tune(
    data: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, or a folder with one sub-folder per class; -: standard input.", show_default=False
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="YAML file for the best settings.", show_default=False),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            "--run",
            help="Run directory for the best model (default: the name of --output without .yaml).",
            show_default=False,
        ),
    ] = None,
    search: Annotated[
        list[str] | None,
        typer.Option(
            "--search",
            help="A setting to search, as key=value,value,...; may be repeated, and nothing else is searched "
            "then. Default: learning rate, hidden size, layers, dropout, batch size and cell, but for those "
            "that are given.",
            show_default=False,
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            "--trials",
            min=1,
            max=10_000,
            help="Choices of settings that are tried (default: 27, 9 or 3, by the budget).",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each trial, the best first.")
    ] = False,
    config: ConfigOption = None,
    assignments: AssignmentsOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing results.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show only errors.")] = False,
    **flags: Any,
) -> None:
    """Search for the settings of a training within --budget, and keep the best ones and their model.

    Several choices of settings are trained for a short time, the best third of them for three times as long,
    and so on (successive halving). The first choice is what `seqrnn train` would use. --budget is the time of
    all of it together. Ctrl-C ends the search and keeps the best so far.
    """
    from seqrnn.cli.stdio import OutputStream, say_waiting
    from seqrnn.cli.tuning_console import TuningConsole, report

    started = time.monotonic()
    if data:
        say_waiting("-" if "-" in data else data[0], "data to train on", quiet)
        flags["data.train"] = tuple(data)
    asked = _Asked(output, run, overwrite)
    plan, layers = _plan(config or [], assignments or [], flags)
    console = TuningConsole(quiet)
    with _search(plan, layers, asked, (search or [], trials), started, console) as (tuning, test):
        try:
            _follow(tuning, console)
        finally:
            best = tuning.best
            with OutputStream() as out:
                if as_json:
                    out.write_json(trial.as_json for trial in tuning.ranked)
                elif best is not None:
                    out.write_text(report(tuning.ranked, console.stdout_width))
            if best is not None:
                _keep(tuning, best, plan, layers, asked, test, console)


class _Asked:
    """Where the results go: the settings, and the run of the best model."""

    def __init__(self, output: Path | None, run: Path | None, overwrite: bool) -> None:
        """Refuse what cannot end well before anything is read."""
        from seqrnn.run.location import check_free

        if output is None:
            raise UsageError("no place for the settings; name a YAML file with `output`")
        bare = output.with_suffix("") if output.suffix in {".yaml", ".yml"} else Path(f"{output}-run")
        self.output, self.run, self.overwrite = output, run or bare, overwrite
        if output.exists() and (output.is_dir() or not overwrite):
            raise UsageError(
                f"{output}: is there already; replace it with `overwrite`, or choose another name"
            )
        check_free(self.run, overwrite)


def _plan(config: list[str], assignments: list[str], flags: Mapping[str, Any]) -> tuple[Plan, list[Layer]]:
    """Decide what all trials have in common; ask a person where the data can be read in two ways."""
    from seqrnn.cli.given_settings import read_layers
    from seqrnn.cli.question import settled_plan

    layers = read_layers(config, assignments, flags)
    if not any("training.budget" in layer for layer in layers):
        raise UsageError("how long to search? Give the time for all trials with `training.budget=30m`")
    return settled_plan(layers), layers


@contextmanager
def _search(
    plan: Plan,
    layers: list[Layer],
    asked: _Asked,
    wanted: tuple[list[str], int | None],
    started: float,
    console: TuningConsole,
) -> Iterator[tuple[Tuning, FinalTest | None]]:
    """Read the data and choose the trials; their runs are in a directory of their own, which goes again."""
    from seqrnn.library.final_test import final_test
    from seqrnn.library.search_space import asked_space, default_space, draws
    from seqrnn.library.training import begin
    from seqrnn.library.tuning import Tuning, import_trainer, trials_for
    from seqrnn.training.duration import parse_budget

    searches, trials = wanted
    given = {key for layer in layers for key in layer}
    space = asked_space(plan.config, searches) if searches else default_space(plan.config, given)
    budget = parse_budget(str(plan.config.training.budget))
    with console.preparing("reading the data") as draw:
        begun = begin(plan, None, False, console.say, draw)
    asked.run.parent.mkdir(parents=True, exist_ok=True)
    with (
        final_test(plan, begun.prepared.fields) as test,
        tempfile.TemporaryDirectory(prefix=".seqrnn-tune-", dir=asked.run.parent) as workplace,
    ):
        import_trainer()  # not in the time of the first trial
        count = trials or trials_for(started + budget - time.monotonic())
        combinations = draws(space, count, plan.config.training.seed)
        tuning = Tuning(plan, begun, combinations, Path(workplace), started + budget)
        console.begin(tuning, space, budget, started)
        yield tuning, test


def _follow(tuning: Tuning, console: TuningConsole) -> None:
    """Train all trials, or until a signal comes."""
    from seqrnn.cli.signals import stopping

    with stopping(tuning.stop):
        console.follow(tuning.events())


def _keep(
    tuning: Tuning,
    best: Trial,
    plan: Plan,
    layers: list[Layer],
    asked: _Asked,
    test: FinalTest | None,
    console: TuningConsole,
) -> None:
    """Keep the best run, write its settings, and say how to go on."""
    from seqrnn.cli.stdio import OutputStream
    from seqrnn.library.model_card import write_model_card
    from seqrnn.library.settings_file import settings_file
    from seqrnn.run.directory import RunDirectory

    RunDirectory.moved(best.path, asked.run, asked.overwrite)
    named = {*(key for layer in layers for key in layer), *best.settings, "training.steps"}
    text = settings_file(
        plan, named, "The best settings of a search, by seqrnn tune.", tuning.lasting_config_of(best)
    )
    with OutputStream(str(asked.output)) as out:
        out.write_text(text)
    output, run = shlex.quote(str(asked.output)), shlex.quote(str(asked.run))
    console.say(
        f"best: trial {best.number}, kept in {asked.run}; train anew with: seqrnn train -c {output} -o RUN"
    )
    console.say(f"use it with: seqrnn {plan.task().command} -m {run}")
    if test is not None and not tuning.stopped:
        console.test(test, asked.run, plan.config.training.device)
    if not tuning.stopped:
        write_model_card(asked.run, ["seqrnn", *map(shlex.quote, sys.argv[1:])])
