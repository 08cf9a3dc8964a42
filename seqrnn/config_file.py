"""From YAML files and single settings to a `Config`, and back to YAML.

A source of settings becomes a `Layer`: a flat mapping from dotted keys to settings, each of which
remembers where it was written. `resolve` lays the layers over each other, later over earlier, and
checks the result, so that every error can name its origin:

    a.yaml:12: model.hiden_size: unknown key; did you mean hidden_size?
    `model.hidden_size=0`: must be at least 1, not 0

Paths in a configuration are relative to the working directory, as they are on the command line; one that
is not there is looked for beside the file that names it.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from seqrnn.config import KEYS, PATHS, SECTIONS, Config, changed
from seqrnn.config_check import checked, unknown_key
from seqrnn.config_text import dump, dump_chosen
from seqrnn.errors import ConfigError, ModelError
from seqrnn.yaml_text import MAX_BYTES, Value, parse

__all__ = [
    "Layer",
    "Setting",
    "dump",
    "dump_chosen",
    "from_defaults",
    "from_flags",
    "from_yaml",
    "load_run_config",
    "overlaid",
    "read_file",
    "resolve",
]


class Setting(Struct, frozen=True):
    """A value for a key, and where it was written: `a.yaml:3: model.cell`, or the setting itself."""

    value: Any
    origin: str


Layer = dict[str, Setting]
"""Settings by dotted key."""


def resolve(layers: Iterable[Layer]) -> Config:
    """Lay the layers over the schema's defaults, later over earlier.

    The order of a training is: the task's defaults, configuration files, single settings.
    Raises ConfigError for the first value that the schema refuses.
    """
    settings = {key: setting for layer in layers for key, setting in layer.items()}
    values: dict[str, Any] = {}
    for name in KEYS:  # in their order, so that the first error is always the same
        if name not in settings:
            continue
        try:
            values[name] = checked(KEYS[name], settings[name].value)
        except ValueError as error:
            raise ConfigError(f"{settings[name].origin}: {error}") from None
    return changed(Config(), values)


def overlaid(config: Config, layer: Layer) -> Config:
    """Lay settings over a configuration. Raises ConfigError for a value that the schema refuses."""
    return resolve([from_yaml(dump(config), "config.yaml"), layer])


def read_file(path: str) -> Layer:
    """Read one YAML file. Raises ConfigError."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name a YAML file") from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES:,} bytes; this is no configuration")
    try:
        return _located(from_yaml(content.decode("utf-8-sig"), path), Path(path).parent)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8; save the file as UTF-8") from None


def _located(layer: Layer, folder: Path) -> Layer:
    """Put the folder before those paths that are there, and not in the working directory."""

    def find(path: Any) -> Any:
        if not isinstance(path, str) or path == "-" or _is_there(path):
            return path
        beside = os.path.join(folder, path)
        return beside if _is_there(beside) else path

    for key in PATHS.intersection(layer):
        value, origin = layer[key].value, layer[key].origin
        layer[key] = Setting(tuple(map(find, value)) if isinstance(value, tuple) else find(value), origin)
    return layer


def _is_there(path: str) -> bool:
    """Whether a path is there, or is a pattern of some that are."""
    return os.path.exists(path) or (glob.has_magic(path) and any(glob.iglob(path, recursive=True)))


def from_yaml(text: str, name: str) -> Layer:
    """Take the settings from YAML text; `name` is the file that errors shall name."""
    document = parse(text, name).content
    if document is None:
        raise ConfigError(f"{name}: is empty; write keys such as `model:` into it")
    if not isinstance(document, dict):
        raise ConfigError(f"{name}:1: no mapping of keys; begin with one of {', '.join(SECTIONS)}")
    layer: Layer = {}
    for section, value in document.items():
        entries = {section: value}
        if section in SECTIONS and isinstance(value.content, dict):
            entries = {f"{section}.{key}": entry for key, entry in value.content.items()}
        elif section in SECTIONS and value.content is None:
            entries = {}  # everything in the section is commented out
        for key, entry in entries.items():
            origin = f"{name}:{entry.line}: {key}"
            check_known(key, origin)
            layer[key] = Setting(_typed(key, _plain(entry)), origin)
    return layer


def assigned(key: str, text: str, origin: str) -> Any:
    """Return what a text that is assigned to a key is as a value: YAML, or the text where one is wanted."""
    wants_text = KEYS[key].type is str or KEYS[key].choices
    return text if wants_text and text not in ("", "null") else _typed(key, _plain(parse(text, origin)))


def from_flags(flags: Mapping[str, Any]) -> Layer:
    """Take the settings from values by dotted key."""
    return {key: Setting(value, _named(key, value)) for key, value in flags.items()}


def from_defaults(defaults: Mapping[str, Any]) -> Layer:
    """Take the settings that a task prefers to the schema's defaults, by dotted key."""
    return {key: Setting(value, f"default of {key}") for key, value in defaults.items()}


def load_run_config(text: str, name: str = "config.yaml") -> Config:
    """Read the configuration that a run directory keeps. Raises ModelError."""
    try:
        return resolve([from_yaml(text, name)])
    except ConfigError as error:
        raise ModelError(str(error)) from None


def check_known(key: str, origin: str) -> None:
    """Raise ConfigError for a key that the schema does not have."""
    if key in SECTIONS:
        raise ConfigError(f"{origin}: must be a mapping; it is a section, so set one of its keys")
    if key not in KEYS:
        raise ConfigError(f"{origin}: {unknown_key(key)}")


def _plain(value: Value) -> Any:
    """The value without its lines."""
    content = value.content
    if isinstance(content, dict):
        return {name: _plain(entry) for name, entry in content.items()}
    return tuple(map(_plain, content)) if isinstance(content, tuple) else content


def _typed(key: str, value: Any) -> Any:
    """The value, with a list of one for a single text."""
    wants_list = isinstance(KEYS[key].default, tuple)
    return (value,) if wants_list and isinstance(value, str) else value


def _named(key: str, value: Any) -> str:
    """Return a setting and its value as messages name them: between backticks, where it has a flag."""
    text = " ".join(map(str, value if isinstance(value, tuple) else [value]))
    if isinstance(value, bool):
        text = text.lower()
    return f"`{key}={text}`" if KEYS[key].flag else f"{key} {text}"
