"""Values of Python as rows that a model reads, or the reason why one is none."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct

from seqrnn.data.answer import Answer
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.formats.numbers import NO_FEATURES, Features, steps_asked, steps_in
from seqrnn.data.formats.table_cells import text_of
from seqrnn.data.record import Record
from seqrnn.errors import DataError

SURROGATE = re.compile("[\ud800-\udfff]")


class Refusal(NamedTuple):
    """Why a row has no answer."""

    reason: str


NOT_FINITE = Refusal("the model's answer is nan or infinite")


class RowAnswerer(Struct, frozen=True):
    """A model, ready to answer rows: what `check` refuses, by DataError, has no answer.

    Answers come in the order of the rows. May be called in several threads at once.
    """

    check: Callable[[Record], None]
    answer: Callable[[list[Record]], Sequence[Answer]]

    def __call__(self, rows: Sequence[Record | Refusal]) -> list[Answer | Refusal]:
        """Answer all rows that can be read, together."""
        checked = [row if isinstance(row, Refusal) else self._checked(row) for row in rows]
        answers = iter(self.answer([row for row in checked if isinstance(row, Record)]))
        return [row if isinstance(row, Refusal) else next(answers) for row in checked]

    def _checked(self, record: Record) -> Record | Refusal:
        try:
            self.check(record)
        except DataError as error:
            return Refusal(str(error).removeprefix(f"{record.location}: "))  # the caller tells the location
        return record


def read_row(
    value: Any, kind: str, number: int, features: Features = NO_FEATURES, column: str | None = None
) -> Record | Refusal:
    """Return what a model that reads rows of a `kind` finds in a value, the one of this number from 0.

    Texts are strings or lists of tokens, images are paths; numbers are arrays of NumPy, or lists, of shape
    (F,) or (T, F), lists of keys a step (`notes`), paths of .npy files, or dicts of a number for each of the
    `features`. A dict has its text in the field that `column` names, or in the first of a usual name.
    """
    reads = kind_named(kind)
    if isinstance(value, os.PathLike) and (reads.file_kind != "text" or reads.has_numbers):
        value = os.fspath(value)
    if reads.has_numbers and not isinstance(value, str):
        return _read_numbers(value, kind, number, features)
    if isinstance(value, Mapping):
        return _read_text(value, number, column)
    text = text_of(_plain(value)) if isinstance(value, str | list | tuple | np.ndarray) else None
    if text is None:
        wanted = "a string or a list of strings" if reads.file_kind == "text" else "the path of a file"
        return Refusal(f"is of type {type(value).__name__}; give {wanted}")
    return Record(without_surrogates(text), line=number + 1)


def without_surrogates(text: str) -> str:
    """Return the text with U+FFFD for each half of a surrogate pair, which is no character."""
    return SURROGATE.sub("\ufffd", text)


def _read_text(fields: Mapping[str, Any], number: int, column: str | None) -> Record | Refusal:
    from seqrnn.data.formats.records import find_text  # few rows are dicts

    name, text = find_text({name: _plain(value) for name, value in fields.items()}, column)
    if text is None:
        known = ", ".join(map(str, fields)) or "none"
        return Refusal(f'has no text in the field "{name}"; its fields are {known}')
    return Record(without_surrogates(text), line=number + 1)


def _read_numbers(value: Any, kind: str, number: int, features: Features) -> Record | Refusal:
    if isinstance(value, Mapping):
        try:
            named = {name: _plain(item) for name, item in value.items()}
            return Record("", line=number + 1, steps=steps_asked(named, kind, features=features))
        except ValueError as error:
            return Refusal(str(error))
    reads, steps = kind_named(kind), value
    if isinstance(value, np.ndarray) and reads.in_columns:
        if value.ndim == 1:
            steps = value[:, None] if reads.sequential else value[None]
    else:
        steps = (
            steps_in({kind: _plain(value)}, kind) if isinstance(value, list | tuple | np.ndarray) else None
        )
    if steps is None or (isinstance(steps, np.ndarray) and steps.ndim != 2):
        wanted = "those of each step" if reads.sequential else "them"
        return Refusal(f"holds no numbers; give {wanted}, in a list or an array of NumPy")
    return Record("", line=number + 1, steps=steps)


def _plain(value: Any) -> Any:
    """Return arrays and tuples as lists, whatever they hold."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
