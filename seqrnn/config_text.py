"""Writes a `Config` as YAML that reads back equal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from textwrap import wrap
from typing import Any

import yaml

from seqrnn.config import KEYS, Config, Section
from seqrnn.yaml_text import is_plain_text

COMMENT_WIDTH = 100


def dump(config: Config, comments: bool = False) -> str:
    """The whole configuration as YAML, in the order of the schema; `comments` adds each key's help."""
    return "\n".join(_lines(config, "", comments)) + "\n"


def dump_chosen(config: Config, chosen: Collection[str], shown: Collection[str], head: Iterable[str]) -> str:
    """Return YAML that has the keys `chosen`, and of the others that are `shown` their lines as comments.

    `head` are lines that come first, as comments. Only the chosen keys are read back.
    """
    lines = [line for text in head for line in _comment(text, "# ")]
    for name, value in _items(config):
        if not isinstance(value, Section):
            lines += ["", *_entry(name, value, "", name in chosen)] if name in shown else []
            continue
        keys = [key for key in (f"{name}.{inner}" for inner, _ in _items(value)) if key in shown]
        lines += ["", f"{name}:"] if keys else []
        for number, key in enumerate(keys):
            entry = _entry(key, getattr(value, key.partition(".")[2]), "  ", key in chosen)
            lines += [*([""] if number else []), *entry]
    return "\n".join(lines) + "\n"


def _items(section: Section) -> Iterator[tuple[str, Any]]:
    return iter(vars(section).items())


def _entry(key: str, value: Any, indent: str, chosen: bool) -> Iterator[str]:
    """Yield a key with its help; one that is not chosen as `#key: value`, to be told from text."""
    yield from _comment(KEYS[key].help, f"{indent}# ")
    yield f"{indent}{'' if chosen else '#'}{key.rpartition('.')[2]}: {_written(value)}"


def _comment(text: str, mark: str) -> list[str]:
    return wrap(text, COMMENT_WIDTH, initial_indent=mark, subsequent_indent=mark)


def _lines(section: Section, prefix: str, comments: bool) -> Iterator[str]:
    indent = "  " if prefix else ""
    for name, value in _items(section):
        if isinstance(value, Section):
            yield f"\n{name}:"
            yield from _lines(value, f"{name}.", comments)
            continue
        if comments:
            yield from _comment(KEYS[prefix + name].help, f"{indent}# ")
        yield f"{indent}{name}: {_written(value)}"


def _written(value: Any) -> str:
    content = list(value) if isinstance(value, tuple) else value
    text = yaml.dump(content, Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=float("inf"))
    return text.removesuffix("...\n").rstrip("\n")


class _Dumper(yaml.SafeDumper):
    """Quotes every text that a reader of YAML, ours or another, might take for something else."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if is_plain_text(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
