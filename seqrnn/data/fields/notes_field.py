"""Polyphonic music: which keys sound in each time step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqrnn.config import DataConfig
from seqrnn.data.dataset.columns import Column
from seqrnn.data.fields.fitting import UnfittedField
from seqrnn.data.fields.input_sizes import VectorSizes
from seqrnn.data.fields.source_kind import SourceKind
from seqrnn.data.fields.steps import sets_of
from seqrnn.data.limits import require_length
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import Encoded


class NotesSource(SourceKind):
    """The notes of each step of music."""

    settings = frozenset({"data.keys"})
    has_numbers = True

    def field(self, data: DataConfig) -> NotesField:
        """Make a field of notes."""
        return NotesField("source", data.keys, data.max_tokens)


class NotesField(UnfittedField):
    """The keys of each step of a record as 0 and 1, (T, K). Nothing is learnt: K is given."""

    requires_known_values = True
    unit: str | None = "step"
    sequential = True

    def __init__(self, name: str, keys: int, max_steps: int | None) -> None:
        self.name = name
        self.keys = keys
        self._max_steps = max_steps

    @property
    def description(self) -> str:
        """The number of keys, and the limit."""
        return f"{self.name} notes {self.keys} {self._max_steps}"

    @property
    def dtype(self) -> np.dtype[Any]:
        """One step, a byte a key."""
        return np.dtype((np.uint8, (self.keys,)))

    @property
    def id_count(self) -> int | None:
        """A key sounds or does not."""
        return 2

    def observe(self, records: Sequence[Record]) -> None:
        """Learn nothing, but raise DataError at a record that is no music."""
        for record in records:
            self.check(record)

    def check(self, record: Record) -> None:
        """Raise DataError, with its location, for a record without keys in each step."""
        self._encode(record)

    def encode(self, records: Sequence[Record]) -> list[Encoded]:
        """Return the steps of each record. Raises DataError as `check` does."""
        return [self._encode(record) for record in records]

    def _encode(self, record: Record) -> Encoded:
        sets = sets_of(record, self.keys)
        kept = sets[: self._max_steps]
        require_length(record, len(kept), "step")
        return Encoded(kept, truncated=len(kept) < len(sets))

    def step_names(self, record: Record, encoded: Encoded) -> list[str]:  # noqa: ARG002
        """Number the steps from 1."""
        return [str(n + 1) for n in range(len(encoded.ids))]

    def sizes(self) -> VectorSizes:
        """Return the number of keys."""
        return VectorSizes(self.keys)

    def lengths(self, column: Column, rows: np.ndarray) -> np.ndarray:
        """Return the steps of the examples `rows` (B,), (B,)."""
        return column.lengths_of(rows)

    def gather(self, column: Column, rows: np.ndarray, width: int | None = None) -> np.ndarray:
        """Return the steps of some examples, (B, T, K); silence is the padding."""
        return column.gather(rows, width)
