"""Settings and arguments in the words of a command line.

Below `cli/` a message names a setting between backticks, alone or with a value: `data.text_column`,
`data.format=lines`, `decoding.sample=false`; an argument as `init_from`, and a function as `classify()`.
Programs read it so; the command line shows the flag that says the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

NAMED = re.compile(r"`([a-z][a-z_.]*)(?:=([^`\n]*))?`")
FUNCTION = re.compile(r"`(classify|generate|evaluate|train)\(\)`")

DECODING = (
    *("max_len", "fixed_len", "beam_size", "n_best", "length_penalty", "temperature", "top_k", "top_p"),
    *("repetition_penalty", "no_repeat_ngram", "seed"),
)
ARGUMENTS = (
    *("resume", "overwrite", "init_from", "folds", "workers", "onnx", "backend", "device", "streams"),
    *("prefix", "probs", "jsonl", "threshold", "min_probability", "method", "state_in", "state_out"),
    *("search", "trials", "run", "shard", "merge", "dynamic"),
)


def in_flags(text: str) -> str:
    """Return a message with flags for the settings that it names; other text between backticks stays."""
    if "`" not in text:
        return text
    return FUNCTION.sub(r"seqrnn \1", NAMED.sub(_flag, text))


def all_in_flags(value: Any) -> Any:
    """Return the same for every text in a value that JSON can hold."""
    if isinstance(value, str):
        return in_flags(value)
    if isinstance(value, Mapping):
        return {key: all_in_flags(item) for key, item in value.items()}
    return [all_in_flags(item) for item in value] if isinstance(value, list | tuple) else value


def _flag(found: re.Match[str]) -> str:
    return flag_of(found[1], found[2]) or found[0]


def flag_of(name: str, value: str | None) -> str | None:
    """Return how a command line says a setting, alone or with a value; None for a name that is none."""
    flag = _flags().get(name)
    if flag is None:
        return None
    on, _, off = flag.partition("/")
    if value is None:
        return on or f"--set {name}"
    if on and value in {"true", "false"} and _is_switch(name):
        on, value = (on, None) if value == "true" else (off, None if off else value)
    if not on:
        return f"--set {name}={value}"
    return on if value is None else f"{on} {value}"


@cache
def _flags() -> Mapping[str, str]:
    """Return the flag of each name, with that of the other end of a switch after a slash; "" for none."""
    from seqrnn.config import KEYS

    flags = {key: field.flag or "" for key, field in KEYS.items()}
    flags |= {f"decoding.{name}": _dashed(name) for name in DECODING}
    flags |= {name: _dashed(name) for name in ARGUMENTS}
    return flags | {"decoding.sample": "--sample/--greedy", "k": "-k", "output": "-o"}


def _is_switch(name: str) -> bool:
    from seqrnn.config import KEYS

    return name == "decoding.sample" or KEYS[name].type is bool


def _dashed(name: str) -> str:
    return f"--{name.replace('_', '-')}"
