"""`seqrnn train`: from data files to a run directory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from seqrnn.cli.flags import config_flags


@config_flags
def train(
    data: Annotated[
        list[str] | None, typer.Argument(help="Files to train on; - is standard input.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Run directory to make.", show_default=False)
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option("-c", "--config", help="YAML file with settings; may be repeated, later wins."),
    ] = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="A setting, as section.key=value; may be repeated.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run that is there.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on exactly where the run in --output stopped.")
    ] = False,
    init_from: Annotated[
        Path | None, typer.Option("--init-from", help="Start from the weights of another run.")
    ] = None,
    dump_config: Annotated[
        bool, typer.Option("--dump-config", help="Print the settings that would be used, as YAML, and stop.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the data and build the model, but do not train.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")] = False,
    **flags: Any,
) -> None:
    """Train a model on a data file.

    The task is inferred from the data: a text is modelled, labelled examples are classified.
    """
    from seqrnn.cli.plan import plan_training, read_settings
    from seqrnn.config_file import dump
    from seqrnn.errors import UsageError
    from seqrnn.run.location import check_free

    if data:
        flags["data.train"] = tuple(data)
    only_looking = dump_config or dry_run
    if output is None and (resume or not only_looking):
        raise UsageError("no place for the run; name a directory with -o")
    if output is not None and not (resume or only_looking):
        check_free(output, overwrite)
    layers = read_settings(config or [], assignments or [], flags, output if resume else None)
    plan = plan_training(layers)
    if dump_config:
        sys.stdout.write(dump(plan.config, comments=True))
        return

    from seqrnn.cli.console import TrainingConsole
    from seqrnn.data.prepare import prepare

    console = TrainingConsole(quiet)
    console.say(plan.guess.reason)
    task = plan.task()
    console.say(f"shape: {task.shape()}")
    prepared = prepare(plan.readable.data, task.fields, plan.readable.training.seed)
    for line in prepared.report.lines():
        console.say(line)

    from seqrnn.cli.signals import stopping
    from seqrnn.engine.session import Place, Session

    session = Session(plan.config, task, prepared)
    if init_from is not None:
        session.start_from(init_from)
    if dry_run or output is None:
        console.say(session.describe())
        return
    with stopping(session.trainer.stop):
        console.follow(session.train(Place(output, overwrite, resume)), output)
