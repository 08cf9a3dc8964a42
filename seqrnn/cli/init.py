"""`seqrnn init`: the settings of a training as a commented file."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqrnn.cli.setting_flags import config_flags
from seqrnn.cli.shared_options import AssignmentsOption, ConfigOption, OutputOption
from seqrnn.errors import UsageError

if TYPE_CHECKING:
    from seqrnn.config_file import Layer


@config_flags
def init(
    data: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files to train on; without any, a template of the important settings is written.",
            show_default=False,
        ),
    ] = None,
    output: OutputOption = None,
    files: ConfigOption = None,
    assignments: AssignmentsOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
    **flags: Any,
) -> None:
    """Write the settings of a training as commented YAML, to be changed by hand.

    With data, it is what `seqrnn train` would decide for them, and `seqrnn train -c FILE` trains the same.
    """
    from seqrnn.cli.given_settings import read_layers
    from seqrnn.cli.stdio import OutputStream, say

    if output is not None and os.path.lexists(output) and not overwrite:
        raise UsageError(f"{output}: is there already; replace it with --overwrite, or choose another name")
    if data:
        flags["data.train"] = tuple(data)
    layers = read_layers(files or [], assignments or [], flags)
    text = _decided(layers) if _names_data(layers) else _template(layers)
    with OutputStream(output) as out:
        out.write_text(text)
    if output is not None:
        say(f"wrote {output}; train with: seqrnn train -c {shlex.quote(output)} -o RUN")


def _names_data(layers: list[Layer]) -> bool:
    return any(layer[key].value for layer in layers for key in ("data.train", "data.source") if key in layer)


def _decided(layers: list[Layer]) -> str:
    """Return what is decided for the data that are named, every decision and every changed default."""
    from seqrnn.cli.question import settled_plan
    from seqrnn.library.settings_file import settings_file

    plan = settled_plan(layers)
    return settings_file(
        plan, [key for layer in layers for key in layer], "Settings of a training, by seqrnn init."
    )


def _template(layers: list[Layer]) -> str:
    """Return the settings that have a flag, of those that say something to the task if one was chosen."""
    from seqrnn.catalog import TASKS, load
    from seqrnn.config import KEYS
    from seqrnn.config_file import dump_chosen, from_defaults, resolve
    from seqrnn.library.plan import settings_for
    from seqrnn.library.settings_file import NOT_CHOSEN

    given = {key for layer in layers for key in layer}
    asked, important = resolve(layers), [key for key in KEYS if KEYS[key].flag or key == "data.train"]
    if "task" not in given:
        head = ["Settings of a training, by seqrnn init: give it data, or a --task, to see what they decide."]
        return dump_chosen(asked, given, important, [*head, NOT_CHOSEN])
    config = resolve([from_defaults(load(TASKS[asked.task]).defaults), *layers])
    head = [f"Settings of a training for {config.task}, by seqrnn init.", NOT_CHOSEN]
    said = settings_for(config)
    return dump_chosen(config, given, [key for key in important if key in said or key in given], head)
