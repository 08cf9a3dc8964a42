"""The settings of a training as a program gives them: by name, or as YAML has them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from seqrnn.config import KEYS, SECTIONS
from seqrnn.config_check import unknown_key
from seqrnn.config_file import Layer, Setting, read_file
from seqrnn.errors import ConfigError

ConfigSource = str | os.PathLike[str] | Mapping[str, Any]
"""The path of a YAML file, or what is in one: sections, each a mapping of keys."""

BY_NAME = {key.rpartition(".")[2]: key for key in KEYS}
"""The settings by their names without the section: no two sections have a key in common."""


def from_keywords(settings: Mapping[str, Any]) -> Layer:
    """Take settings by name or from mappings; None is none. Raises ConfigError for an unknown name."""
    layer: Layer = {}
    for name, value in settings.items():
        if name in KEYS or (name in SECTIONS and isinstance(value, Mapping)):
            layer |= from_config({name: value})
            continue
        key = BY_NAME.get(name)
        if key is None:
            raise ConfigError(f"{name}: {unknown_key(name)}")
        if value is not None:
            layer[key] = Setting(_as_setting(key, value), f"{name}={value!r}")
    return layer


def from_config(source: ConfigSource) -> Layer:
    """Take the settings of a YAML file, or of a mapping like one. Raises ConfigError."""
    if not isinstance(source, Mapping):
        return read_file(os.fspath(source))
    layer: Layer = {}
    for name, value in source.items():
        inner = {name: value}
        if name in SECTIONS and isinstance(value, Mapping):
            inner = {f"{name}.{key}": entry for key, entry in value.items()}
        for key, entry in inner.items():
            if key not in KEYS:
                raise ConfigError(f"config: {key}: {unknown_key(key)}")
            layer[key] = Setting(_as_setting(key, entry), f"config: {key}={entry!r}")
    return layer


def _as_setting(key: str, value: Any) -> Any:
    """Return a value as YAML would have given it: paths as text, lists as tuples, numbers without NumPy."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(KEYS[key].default, tuple):
        items = [value] if isinstance(value, str) or not isinstance(value, Iterable) else value
        return tuple(os.fspath(item) if isinstance(item, os.PathLike) else item for item in items)
    return value
