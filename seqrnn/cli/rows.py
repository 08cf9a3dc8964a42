"""Lines of input as rows that each get an answer, whatever is in them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from seqrnn.data.lines import Line
from seqrnn.data.readers.jsonl import text_names, text_of

SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of input: the text to answer, a JSON line's own fields, or why it has no answer."""

    id: int
    text: str
    fields: dict[str, Any] | None = None
    error: str | None = None


@dataclass
class Tally:
    """Counts what a user should know of the rows, once all are answered."""

    truncated: int = 0
    replaced: int = 0
    errors: int = 0

    def lines(self) -> Iterator[str]:
        """Yield a sentence for each count that is not 0."""
        if self.truncated:
            yield f"rows longer than max_tokens, and cut: {self.truncated:,}"
        if self.replaced:
            yield f"bytes that were not UTF-8, and read as U+FFFD: {self.replaced:,}"
        if self.errors:
            yield f"rows that could not be answered: {self.errors:,}; --jsonl says why"


def read_rows(lines: Iterable[Line], as_json: bool, text_field: str | None) -> Iterator[Row]:
    """Turn lines into rows; with `as_json` a line that is a JSON object brings its own fields.

    Its text is in `text_field` or, if that is None, in the first field of a usual name.
    """
    for line in lines:
        number = line.number - 1
        if line.error is not None:
            yield Row(number, "", error=line.error)
        elif as_json and line.text.lstrip().startswith("{"):
            yield _read_object(number, line.text, text_field)
        else:
            yield Row(number, line.text)


def without_surrogates(text: str) -> str:
    """Return the text with U+FFFD for each half of a surrogate pair, which is no character."""
    return SURROGATE.sub("\ufffd", text)


def _read_object(number: int, text: str, text_field: str | None) -> Row:
    try:
        fields = json.loads(text, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        return Row(number, "", {"text": text}, f"not JSON: {error}")
    name = text_field or next((name for name in text_names(fields) if name in fields), "text")
    value = text_of(fields.get(name))
    if value is None:
        return Row(number, "", fields, f'no text in the field "{name}"; name it with --text-col')
    return Row(number, without_surrogates(value), fields)


def _finite(text: str) -> float:
    """Read a number, unless JSON could not write it again."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number
