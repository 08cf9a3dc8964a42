"""`seqrnn prepare`: the data of a training as a directory, to train on without the files."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from seqrnn.cli.setting_flags import config_flags
from seqrnn.cli.shared_options import AssignmentsOption, ConfigOption, QuietOption


@config_flags
def prepare(
    output: Annotated[Path, typer.Option("-o", "--output", help="Directory to create.", show_default=False)],
    data: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, patterns in quotes, or a folder of shards or with one sub-folder per class; "
            "-: standard input.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    assignments: AssignmentsOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace prepared data.")] = False,
    quiet: QuietOption = False,
    **flags: Any,
) -> None:
    """Read, split and tokenize data once, into a directory that `seqrnn train` takes in the files' place.

    The directory holds all that a training needs, and trains the same as the files would; it can be moved,
    also to other machines. What is decided here about the data stays; settings of the model and of the
    training are kept with it, and can be changed when training.
    """
    from seqrnn.cli.console import TrainingConsole
    from seqrnn.cli.given_settings import read_layers
    from seqrnn.cli.question import settled_plan
    from seqrnn.cli.stdio import say_waiting
    from seqrnn.library.prepared import check_prepared_output, write_prepared

    if data:
        say_waiting("-" if "-" in data else data[0], "data to prepare", quiet)
        flags["data.train"] = tuple(data)
    check_prepared_output(output, overwrite)
    plan = settled_plan(read_layers(config or [], assignments or [], flags))
    console = TrainingConsole(quiet)
    with console.preparing("reading the data") as draw:
        found = write_prepared(plan, output, overwrite, draw)
        for line in (*plan.decisions(), *found.report.lines()):
            console.say(line)
    console.say(f"prepared in {output}; train with: seqrnn train {shlex.quote(str(output))} -o RUN")
