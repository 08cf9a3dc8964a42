"""Fields that are fitted to records that come some at a time, so that a file is read once for all fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seqrnn.catalog import FieldFile
from seqrnn.data.grouping import batched
from seqrnn.data.record import Record, size_of
from seqrnn.errors import ModelError


class FittedField:
    """A field that is fitted to records, some at a time."""

    @property
    def id_count(self) -> int | None:
        """How many ids there are, from 0; None where its values are none."""
        return None

    def observe(self, records: Sequence[Record]) -> None:
        """Look at some records; by default only their form says anything."""

    def settle(self) -> None:
        """Fit to all that were observed."""

    def fit(self, records: Iterable[Record]) -> None:
        """Fit to all records at once. Raises DataError as `observe` and `settle` do."""
        for batch in batched(records, size_of):
            self.observe(batch)
        self.settle()


class UnfittedField(FittedField):
    """A field that has nothing to fit, and no file in a run directory."""

    file_name: FieldFile | None = None

    def to_json(self) -> str:
        """Return nothing."""
        return ""

    def load_json(self, text: str) -> None:
        """Take over nothing. Raises ModelError for anything else."""
        if text:
            raise ModelError(f"{type(self).__name__} learns nothing, but there is something to take over")
