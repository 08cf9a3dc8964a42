"""Writes a `Config` as YAML that reads back equal."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

import yaml

from seqrnn.config import KEYS, Config, Section
from seqrnn.yaml_text import is_plain_text

COMMENT_WIDTH = 100


def dump(config: Config, comments: bool = False) -> str:
    """The whole configuration as YAML, in the order of the schema; `comments` adds each key's help."""
    return "\n".join(_lines(config, "", comments)) + "\n"


def _lines(section: Section, prefix: str, comments: bool) -> Iterator[str]:
    indent = "  " if prefix else ""
    for name, value in section:
        if isinstance(value, Section):
            yield f"\n{name}:"
            yield from _lines(value, f"{name}.", comments)
            continue
        if comments:
            help = KEYS[prefix + name].description or ""
            yield from wrap(
                help, COMMENT_WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
            )
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
