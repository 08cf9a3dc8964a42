"""Lines of input as rows that each get an answer, whatever is in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from seqrnn.data.lines import Line


@dataclass(frozen=True, slots=True)
class Row:
    """One line of input: the text to answer, the fields to hand through, or why it has no answer."""

    id: int
    text: str
    fields: dict[str, Any] = field(default_factory=dict)
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
            yield f"{self.truncated:,} rows were longer than max_tokens and were cut"
        if self.replaced:
            yield f"{self.replaced:,} bytes were not UTF-8 and were read as U+FFFD"
        if self.errors:
            yield f"{self.errors:,} rows could not be answered; --jsonl says why"


def read_rows(lines: Iterable[Line], as_json: bool, text_field: str) -> Iterator[Row]:
    """Turn lines into rows; with `as_json` a line that is a JSON object brings its own fields."""
    for line in lines:
        number = line.number - 1
        if line.error is not None:
            yield Row(number, "", error=line.error)
        elif as_json and line.text.startswith("{"):
            yield _read_object(number, line.text, text_field)
        else:
            yield Row(number, line.text, {"text": line.text})


def _read_object(number: int, text: str, text_field: str) -> Row:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Row(number, "", {"text": text}, f"not JSON: {error}")
    value = fields.get(text_field)
    if not isinstance(value, str):
        return Row(number, "", fields, f"no text in the field {text_field!r}; name it with --text-col")
    return Row(number, value, fields)
