"""`seqrnn train`: from data files to a run directory."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqrnn.cli.flags import config_flags

if TYPE_CHECKING:
    from seqrnn.cli.console import TrainingConsole
    from seqrnn.engine.events import Event
    from seqrnn.engine.session import Session
    from seqrnn.library.plan import Plan


@config_flags
def train(
    data: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, or a folder with a sub-folder a class; - is standard input.", show_default=False
        ),
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

    The task is inferred from the data: a text is modelled, labelled examples are classified,
    tokens with tags are tagged, and of pairs of texts the second is written for the first. Some
    defaults depend on the task; --dump-config prints all settings that would be used.
    """
    from seqrnn.cli.question import settled
    from seqrnn.cli.stdio import Output, say_waiting
    from seqrnn.config_file import dump, from_flags, read_layers
    from seqrnn.library.plan import continued, inherited, plan_training
    from seqrnn.library.training import check_place, open_session

    if data:
        say_waiting("-" if "-" in data else data[0], "data to train on", quiet)
        flags["data.train"] = tuple(data)
    check_place(
        output,
        {"--resume": resume, "--overwrite": overwrite, "--init-from": init_from},
        dump_config or dry_run,
    )
    layers, begun = read_layers(config or [], assignments or [], flags), None
    if resume and output is not None:
        begun = continued(output, layers)
    if init_from is not None:
        begun = inherited(init_from)

    def planned(answers: Mapping[str, Any]) -> Plan:
        return plan_training([*layers, from_flags(answers)], begun)

    if dump_config:
        with Output() as out:
            out.write_text(dump(settled(planned).config, comments=True))
        return

    from seqrnn.cli.console import TrainingConsole

    console = TrainingConsole(quiet)
    plan = settled(planned)
    with console.preparing("reading the data") as draw:
        begun_run = output if resume else init_from
        session = open_session(plan, begun_run, resume, console.say, draw)
        if dry_run or output is None:
            return
        events = _begin(session, output, overwrite, resume)
    _follow(session, events, console, output)


def _begin(session: Session, output: Path, overwrite: bool, resume: bool) -> Iterator[Event]:
    """Open the run directory, or fail; what is left of the training is in the events."""
    from seqrnn.engine.session import Place

    events = session.train(Place(output, overwrite, resume))
    return chain([next(events)], events)


def _follow(session: Session, events: Iterator[Event], console: TrainingConsole, output: Path) -> None:
    """Train to the end or to a signal, and say how to go on."""
    from seqrnn.cli.signals import stopping

    with stopping(session.trainer.stop):
        console.follow(events)
        console.say(f"saved in {output}; {_next_command(session, shlex.quote(str(output)))}")


def _next_command(session: Session, output: str) -> str:
    """Say what to do with a run: ask it or, if its training was stopped, go on with that."""
    if not session.trainer.stopped:
        return f"ask it with: seqrnn {session.task.verb} -m {output}"
    data = session.config.data
    from_stdin = "-" in {*data.train, *data.valid, data.source, data.target}
    again = " (with the same data on standard input)" if from_stdin else ""
    return f"go on with: seqrnn train -o {output} --resume{again}"
