"""Learning from records that come some at a time, so that a file is read once for all fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seqrnn.catalog import FieldFile
from seqrnn.data.grouping import batched
from seqrnn.data.record import Record, size_of
from seqrnn.errors import ModelError


class Learning:
    """A field that learns from records, some at a time."""

    @property
    def id_count(self) -> int | None:
        """How many ids there are, from 0; None where its values are none."""
        return None

    def observe(self, records: Sequence[Record]) -> None:
        """Look at some records; by default only their form says anything."""

    def settle(self) -> None:
        """Learn from all that were observed."""

    def learn(self, records: Iterable[Record]) -> None:
        """Learn from all records at once. Raises DataError as `observe` and `settle` do."""
        for batch in batched(records, size_of):
            self.observe(batch)
        self.settle()


class LearningNothing(Learning):
    """A field that has no file in a run directory."""

    file_name: FieldFile | None = None

    def to_json(self) -> str:
        """Return nothing."""
        return ""

    def load_json(self, text: str) -> None:
        """Take over nothing. Raises ModelError for anything else."""
        if text:
            raise ModelError(f"{type(self).__name__} learns nothing, but there is something to take over")
