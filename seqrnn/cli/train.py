"""`seqrnn train`: from data files to a run directory."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqrnn.cli.setting_flags import config_flags
from seqrnn.cli.shared_options import AssignmentsOption, ConfigOption
from seqrnn.run.results import FOLDS, keep_result

if TYPE_CHECKING:
    from seqrnn.cli.console import TrainingConsole
    from seqrnn.library.final_test import FinalTest
    from seqrnn.library.plan import Plan
    from seqrnn.library.training import Begun
    from seqrnn.run.directory import RunDirectory
    from seqrnn.training.session import Session
    from seqrnn.training.worker_processes import WorkerProcesses


@config_flags
def train(
    data: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, patterns in quotes, a folder of shards or with one sub-folder per class, or "
            "prepared data; -: standard input.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Run directory to create.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    assignments: AssignmentsOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing run.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in --output exactly where it stopped.")
    ] = False,
    init_from: Annotated[
        Path | None, typer.Option("--init-from", help="Start from the weights of another run.")
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            "--folds",
            min=2,
            help="Cross-validation with this many folds, for small data; then a training on all examples. "
            "--budget covers all trainings together.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            max=1024,
            help="Train with this many processes on this machine, each on its share of every batch (several "
            "machines: torchrun).",
            show_default=False,
        ),
    ] = None,
    log: Annotated[
        list[str] | None,
        typer.Option(
            "--log",
            help="Tell an experiment tracker as well: tensorboard (in RUN/tensorboard), mlflow or wandb.",
            show_default=False,
        ),
    ] = None,
    samples: Annotated[
        bool,
        typer.Option(
            "--samples",
            help="Show at each evaluation what the model answers to some validation rows, or what a language "
            "model writes.",
        ),
    ] = False,
    dump_config: Annotated[
        bool, typer.Option("--dump-config", help="Print the settings that would be used, as YAML, and stop.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the data and build the model, but do not train.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show only errors.")] = False,
    **flags: Any,
) -> None:
    """Train a model on a data file.

    The task is inferred from the data: a text is modelled, labelled examples are classified,
    tokens with tags are tagged, and of pairs of texts the second is written for the first. Some
    defaults depend on the task; --dump-config prints all settings that would be used.
    """
    from seqrnn.library.installed import require_training

    if not dump_config:
        require_training("`train()`")
    from seqrnn.cli.console import TrainingConsole
    from seqrnn.cli.process import keep_memory
    from seqrnn.cli.signals import stopping
    from seqrnn.cli.stdio import OutputStream, say_waiting
    from seqrnn.cli.workers import leave_signals_to_leader, working_together
    from seqrnn.config_file import dump
    from seqrnn.library.data_parallel import check_together, follow
    from seqrnn.library.model_card import write_model_card
    from seqrnn.library.training import check_output
    from seqrnn.library.training_samples import sampled
    from seqrnn.training.trackers import check_trackers, tracked

    if data:
        flags["data.train"] = tuple(data)
    check_trackers(log or ())
    asked = _Asked(output, overwrite, resume, init_from, dry_run, folds)
    with ExitStack() as kept:
        by_one = dump_config or dry_run
        processes = kept.enter_context(working_together(workers, by_one))
        if not processes.leads:
            keep_memory()
            follow(processes, leave_signals_to_leader)
            return
        if data:
            say_waiting("-" if "-" in data else data[0], "data to train on", quiet)
        planned = partial(_plan, config or [], assignments or [], flags)
        asked = _gone_on(asked, planned)
        check_output(output, asked.modes, by_one)
        plan = planned(asked)
        check_together(processes.ranks.count, plan.config, folds)
        if dump_config:
            with OutputStream() as out:
                out.write_text(dump(plan.config, comments=True))
            return
        console = TrainingConsole(quiet)
        ready = _begin(plan, asked, console, kept, processes)
        if ready is None:
            return
        keep_memory()
        with stopping(ready.session.trainer.stop):
            events = ready.session.events(ready.run)
            if log:
                events = tracked(events, log, ready.run.path, ready.session.config, console.say)
            console.follow(sampled(events, ready.run.path) if samples else events)
            console.say(f"saved in {output}; {_next_command(ready.session, shlex.quote(str(output)))}")
        if ready.test is not None:
            console.test(ready.test, ready.run.path, plan.config.training.device)
        if not ready.session.trainer.stopped:
            write_model_card(ready.run.path, ["seqrnn", *map(shlex.quote, sys.argv[1:])])


def _begun_at() -> float:
    """Return when this process began: what it has done until now, imports mostly, went on without a pause."""
    return time.monotonic() - time.process_time()


@dataclass(frozen=True)
class _Asked:
    """What a command line says beside the settings."""

    output: Path | None
    overwrite: bool
    resume: bool
    init_from: Path | None
    dry_run: bool
    folds: int | None
    began: float = field(default_factory=_begun_at)  # by `time.monotonic()`; a budget counts from then

    @property
    def modes(self) -> Mapping[str, Any]:
        """The options of which one at most may be given, by their names."""
        return {
            "resume": self.resume,
            "overwrite": self.overwrite,
            "init_from": self.init_from,
            "folds": self.folds,
        }


@dataclass(frozen=True)
class _Ready:
    """A training whose model is built and whose run directory is open."""

    session: Session
    run: RunDirectory
    test: FinalTest | None


def _plan(config: list[str], assignments: list[str], flags: Mapping[str, Any], asked: _Asked) -> Plan:
    """Decide all settings; ask a person where the data can be read in two ways."""
    from seqrnn.cli.given_settings import read_layers
    from seqrnn.cli.question import settled
    from seqrnn.config_file import from_flags
    from seqrnn.library.cross_validation import divided, without_validation
    from seqrnn.library.plan import continued, inherited, plan_training

    layers, begun, folds = read_layers(config, assignments, flags), None, asked.folds
    if asked.resume and asked.output is not None:
        begun = continued(asked.output, layers)
    if asked.init_from is not None:
        begun = inherited(asked.init_from)
    if folds is not None:
        layers.append(without_validation(layers))

    def planned(answers: Mapping[str, Any]) -> Plan:
        plan = plan_training([*layers, from_flags(answers)], begun)
        return plan if folds is None else divided(plan, folds + 1)

    return settled(planned)


def _gone_on(asked: _Asked, planned: Callable[[_Asked], Plan]) -> _Asked:
    """Go on with a run that torchrun has started before; begin it anew where nothing was saved."""
    from seqrnn.cli.workers import begun_by_torchrun, is_of
    from seqrnn.run.location import checkpoint_paths

    output = asked.output
    if asked.resume or output is None or not begun_by_torchrun(output, asked.overwrite):
        return asked
    if not is_of(output, planned(asked).config):
        return asked
    if checkpoint_paths(output):
        return replace(asked, resume=True, overwrite=False, init_from=None)
    return replace(asked, overwrite=True)


def _begin(
    plan: Plan, asked: _Asked, console: TrainingConsole, kept: ExitStack, processes: WorkerProcesses
) -> _Ready | None:
    """Read the data, measure by folds if that is asked for, build the model and open the run directory.

    Returns None where there is nothing to train. What is opened is `kept` to the end of the command.
    """
    from seqrnn.cli.folds import measure_folds
    from seqrnn.library.cross_validation import check_enough
    from seqrnn.library.final_test import final_test
    from seqrnn.library.training import begin

    folds, output = asked.folds, asked.output
    with console.preparing("reading the data") as draw:
        data = begin(plan, output if asked.resume else asked.init_from, asked.resume, console.say, draw)
        if folds is not None:
            check_enough(folds, data.prepared)
        test = kept.enter_context(final_test(plan, data.prepared.fields))
        # What is wrong with the model is told alone, too; where there are folds, it is theirs as well.
        if folds is None or asked.dry_run:
            ready = _open(data, asked, console, kept, processes)
    if asked.dry_run or output is None:
        return None
    if folds is not None:
        measured = measure_folds(plan, folds, console)
        ready = _open(data, asked, console, kept, processes)
        keep_result(output, FOLDS, measured.as_json)
    return ready and replace(ready, test=test)


def _open(
    data: Begun, asked: _Asked, console: TrainingConsole, kept: ExitStack, processes: WorkerProcesses
) -> _Ready | None:
    """Build the model, and say what it is; open the run directory unless nothing will be trained."""
    from seqrnn.cli.workers import is_alone
    from seqrnn.library.length_choices import fitted_to_budget
    from seqrnn.training.session import RunTarget

    began = asked.began if asked.folds is None else None
    if is_alone(processes):
        data = fitted_to_budget(data, began, console.say)
    session = data.session(processes, began)
    for line in session.descriptions():
        console.say(line)
    if asked.dry_run or asked.output is None:
        return None
    target = RunTarget(asked.output, asked.overwrite, asked.resume)
    return _Ready(session, kept.enter_context(session.opened(target)), None)


def _next_command(session: Session, output: str) -> str:
    """Say what to do with a run: ask it or, if its training was stopped, go on with that."""
    from seqrnn.library.data_parallel import reads_stdin

    if not session.trainer.stopped:
        return f"use it with: seqrnn {session.task.command} -m {output}"
    again = " (with the same data on standard input)" if reads_stdin(session.config.data) else ""
    return f"continue with: seqrnn train -o {output} --resume{again}"
