"""`seqrnn inspect`: what data hold before a training, or what a run directory holds after it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from seqrnn.cli.setting_flags import config_flags
from seqrnn.cli.shared_options import AssignmentsOption, OutputOption, QuietOption
from seqrnn.errors import UsageError


@config_flags
def inspect(
    context: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DATA]... | RUN",
            help="Files that might be trained on (- is standard input), or a run directory.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "-m",
            "--model",
            envvar="SEQRNN_MODEL",
            help="Run directory of a trained model, as for other commands.",
            show_default=False,
        ),
    ] = None,
    output: OutputOption = None,
    config: Annotated[bool, typer.Option("--config", help="Print the settings of the run, as YAML.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    files: Annotated[
        list[str] | None, typer.Option("-c", help="YAML file with settings for the data; may be repeated.")
    ] = None,
    assignments: AssignmentsOption = None,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe/--no-probe", help="Train for a few seconds to estimate how long a training would take."
        ),
    ] = True,
    quiet: QuietOption = False,
    **flags: Any,
) -> None:
    """Show what data hold before a training, or what a run directory holds after it.

    Data are read as `seqrnn train` would read them with the same options, and all that follows is decided
    alike: the task, the columns, what a token is, what is held out. Nothing is written.
    """
    given = {"-c": files, "--set": assignments, **{key: value for key, value in flags.items() if value}}
    run = _run_named(paths or [], model, context, given)
    if run is not None:
        from seqrnn.cli.inspect_run import inspect_run

        first = next((name for name, value in given.items() if value), None)
        if first is not None:
            raise UsageError(f"{_spelled(first)}: says how data are read; {run} is a run, leave it out")
        inspect_run(run, output, config, as_json)
        return
    from seqrnn.cli.given_settings import read_layers
    from seqrnn.cli.inspect_data import inspect_data

    if config:
        raise UsageError("--config: prints the settings of a run; of data, use seqrnn init")
    if paths:
        flags["data.train"] = tuple(paths)
    inspect_data(read_layers(files or [], assignments or [], flags), output, as_json, probe, quiet)


def _run_named(
    paths: list[str], model: Path | None, context: typer.Context, given: dict[str, Any]
) -> Path | None:
    """Return the run that the command line names; None where it names data.

    Raises UsageError where that is none, or two.
    """
    from seqrnn.run.location import holds_run

    source = context.get_parameter_source("model")
    asked = model if source is not None and source.name == "COMMANDLINE" else None
    if paths and asked is not None:
        raise UsageError(f"{paths[0]} and -m {asked} exclude each other; give one of them")
    if len(paths) == 1 and holds_run(Path(paths[0])):
        return Path(paths[0])
    if paths or given.get("-c") or given.get("data.source") or given.get("data.target"):
        return asked
    if model is None:
        raise UsageError(
            "nothing to inspect; name a data file, or a run directory that training made, "
            "such as seqrnn inspect RUN"
        )
    return model


def _spelled(key: str) -> str:
    from seqrnn.config import KEYS

    return (KEYS[key].flag or key) if key in KEYS else key
