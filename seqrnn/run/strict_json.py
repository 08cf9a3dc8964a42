"""JSON from a file that anybody may have written, checked against a schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError

from seqrnn.errors import ModelError

Schema = TypeVar("Schema")

COPY = "copy it again"


def parse_object(content: bytes, path: Path, advice: str = COPY) -> dict[str, Any]:
    """Read a JSON object.

    Raises `ModelError`, which ends with the `advice`, for anything else, and for what `json` would let
    through: duplicate keys, of which the last would win, and nan or infinity.
    """
    try:
        value = json.loads(
            content.decode(), object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: malformed JSON: {error}; {advice}") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path}: malformed JSON: not an object; {advice}")
    return value


def conform(value: object, schema: type[Schema], path: Path) -> Schema:
    """Turn what was parsed into a `schema`; the first thing that does not fit raises `ModelError`."""
    try:
        return TypeAdapter(schema).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(key) for key in first["loc"])
        raise ModelError(f"{path}: {where[:100]!r}: {first['msg']}; {COPY}") from error


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ValueError(f"the key {key[:100]!r} stands twice")
        table[key] = value
    return table


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
