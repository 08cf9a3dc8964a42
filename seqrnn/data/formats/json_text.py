"""JSON from outside, read so that nothing in it gets lost, and all of it can be written again."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

DEEPEST = 100
"""Lists and objects inside each other, at most: far fewer than Python's parser follows in any thread."""

_strings = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_too_long = "integer string conversion"  # in what Python says of an integer of more digits than it reads


def parse_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises ValueError for anything else, for what is nested deeper than `DEEPEST`, for numbers that are not
    finite and for an object in which a key occurs twice.
    """
    if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
        raise ValueError(f"lists and objects are nested more than {DEEPEST} deep")
    try:
        return json.loads(text, **STRICT)
    except ValueError as error:
        if _too_long in str(error):
            raise ValueError("an integer has thousands of digits") from error
        raise


def _depth(text: str) -> int:
    """Return how many brackets are open at once, at most, outside of strings."""
    plain = np.frombuffer(_strings.sub("", text).encode("ascii", "replace"), dtype=np.uint8) | 0x20
    change = (plain == ord("{")).view(np.int8) - (plain == ord("}")).view(np.int8)  # [ ] become { } as well
    return int(np.cumsum(change, dtype=np.int32).max(initial=0))


def value_at(fields: Mapping[str, Any], name: str, missing: Any = None) -> Any:
    """Return the value of a field, or of one within objects, such as `data.text`; `missing` for none."""
    if name in fields:
        return fields[name]
    value: Any = fields
    for part in name.split("."):
        value = value.get(part, missing) if isinstance(value, Mapping) else missing
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is no finite number")
    return number


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in fields if keys.count(key) > 1)
        raise ValueError(f'the key "{twice}" occurs twice in one object')
    return fields


STRICT: dict[str, Any] = {
    "parse_constant": _refuse,
    "parse_float": _finite,
    "object_pairs_hook": _unique_keys,
}
"""How the library reads JSON so that nothing in it gets lost."""
