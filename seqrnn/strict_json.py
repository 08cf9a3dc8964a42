"""JSON from a file that anybody may have written, checked against a schema."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeAlias, TypeVar

import msgspec

from seqrnn.errors import ModelError

Schema = TypeVar("Schema")

COPY = "copy it again"
MAX_DEPTH = 64  # levels of lists and objects; how deep Python itself gets depends on who asks
TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
MAX_DIGITS = 20  # of an integer: what 64 bits hold


Natural: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Positive: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]

# What msgspec says of a value, and where. What it quotes of a file may be anything, so that is left out.
COMPLAINT = r"(?s)(?P<what>.*?)(?: - at (?:`key` in )*`\$\.?(?P<path>.*)`)?"
FIELD = r"(?s)Object (missing required|contains unknown) field `(.*)`"
CHOICE = r"(?s)Invalid (enum )?value .*"
INDEX = r"\[(\d+)\]"


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An object of which every key is known and of its own type, so that no text is taken for a number."""


def parse_object(content: bytes | str, path: Path, advice: str = COPY) -> dict[str, Any]:
    """Read a JSON object.

    Raises `ModelError`, which ends with the `advice`, for anything else, and for what `json` would let
    through: duplicate keys, of which the last would win, nan and infinity, also as a number that is too
    large, integers that do not fit into 64 bits, half a surrogate pair, and nesting beyond `MAX_DEPTH`.
    """
    try:
        text = content if isinstance(content, str) else content.decode()
        value = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_finite,
        )
        if not isinstance(value, dict):
            raise ValueError("not an object")
        _check_depth(value)
        if "\\u" in text:  # an escape may be half a surrogate pair, which is no text
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: malformed JSON: {_reason(error)}; {advice}") from error
    return value


def conform(value: object, schema: type[Schema], path: Path, within: str = "") -> Schema:
    """Turn what was parsed into a `schema`; the first thing that does not fit raises `ModelError`.

    `within` is the key of the file that has the value, if it is not all of it.
    """
    try:
        return msgspec.convert(value, schema)
    except msgspec.ValidationError as error:
        location, what = _location(str(error))
        where = ".".join(filter(None, (within, location)))
        raise ModelError(f"{path}: {where[:100]!r}: {what[:200]}; {COPY}") from error


def _location(message: str) -> tuple[str, str]:
    """Return which key msgspec complains of, with dots, and what it says of it."""
    found = re.fullmatch(COMPLAINT, message)
    assert found is not None
    path, what = re.sub(INDEX, r".\1", found["path"] or ""), found["what"]
    if field := re.fullmatch(FIELD, what):
        path, what = f"{path}.{field[2]}".lstrip("."), f"{field[1].partition(' ')[2]} key"
    return path, re.sub(CHOICE, "none of the values that it can have", what)


def read_as(schema: type[Schema], text: str, name: str) -> Schema:
    """Read the text of the file `name` as a `schema`. Raises `ModelError` for anything else."""
    path = Path(name)
    return conform(parse_object(text, path), schema, path)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "half a surrogate pair"
    return TOO_DEEP if isinstance(error, RecursionError) else str(error)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = dict(pairs)
    if len(table) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise ValueError(f"the key {max(counts, key=counts.__getitem__)[:100]!r} occurs twice")
    return table


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _integer(text: str) -> int:
    number = int(text) if len(text) <= MAX_DIGITS else None
    if number is None or not -(2**63) <= number < 2**64:
        raise ValueError(f"an integer of {len(text):,} digits, which 64 bits do not hold")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _check_depth(value: dict[str, Any]) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        entries = chain.from_iterable(part.values() if isinstance(part, dict) else part for part in level)
        level = [entry for entry in entries if isinstance(entry, dict | list)]
        if not level:
            return
    raise ValueError(TOO_DEEP)
