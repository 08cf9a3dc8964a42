"""The settings that a command line names, in the order in which later ones win."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from seqrnn.config_file import Layer, Setting, assigned, check_known, from_flags, read_file
from seqrnn.errors import ConfigError


def read_layers(files: Iterable[str], assignments: Iterable[str], flags: Mapping[str, Any]) -> list[Layer]:
    """The layers of a command line, in order: `-c` files, `--set` assignments, flags.

    Raises ConfigError for a file that cannot be read and for an unknown key.
    """
    return [*map(read_file, files), from_assignments(assignments), from_flags(flags)]


def from_assignments(assignments: Iterable[str]) -> Layer:
    """Take the settings from `--set section.key=value`.

    The value is a YAML scalar or flow list; where the schema wants text, it is the text as it was
    typed, because the shell has eaten the quotes already.
    """
    layer: Layer = {}
    for assignment in assignments:
        origin = f"--set {assignment}"
        key, equals, text = assignment.partition("=")
        if not equals:
            raise ConfigError(f"{origin}: no value; write --set section.key=value")
        check_known(key, origin)
        layer[key] = Setting(assigned(key, text, origin), origin)
    return layer
