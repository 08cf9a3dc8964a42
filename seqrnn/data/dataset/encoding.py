"""Records to columns: one part of the data is encoded in batches and written to a directory."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.dataset.columns import ColumnWriter
from seqrnn.data.dataset.preparation_report import PartReport
from seqrnn.data.fields.field import Field
from seqrnn.data.fields.names import NamesField, unknown_names
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import Encoded
from seqrnn.errors import DataError

OverLength = Literal["truncate", "skip", "error"]


class PartWriter:
    """Writes one column for each field; complete when the `with` block has been left.

    `report` counts what was written. Raises DataError with the location of a record that a field
    cannot encode or, if `over_length` is "error", that is longer than max_tokens.
    """

    def __init__(self, directory: Path, fields: Sequence[Field], over_length: OverLength) -> None:
        directory.mkdir(exist_ok=True)
        self.report = PartReport()
        self._fields = fields
        self._over_length = over_length
        self._counted = counted_name(fields)
        self._open_files = ExitStack()
        self._columns = [
            self._open_files.enter_context(ColumnWriter(directory / field.name, field.dtype))
            for field in fields
        ]

    def add(self, records: list[Record]) -> None:
        """Encode and write some records."""
        if not records:
            return
        sides = [field.encode(records) for field in self._fields]
        examples = list(zip(*sides, strict=True))
        truncated = [any(side.truncated for side in example) for example in examples]
        if any(truncated):
            examples = self._settle(records, examples, truncated)
        for number, column in enumerate(self._columns):
            column.append([example[number].ids for example in examples])
        self._count(examples)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open_files.close()

    def _settle(
        self, records: list[Record], examples: list[tuple[Encoded, ...]], truncated: list[bool]
    ) -> list[tuple[Encoded, ...]]:
        """Do with the examples that are too long what was asked for."""
        if self._over_length == "error":
            raise over_length_error(records[truncated.index(True)].location)
        if self._over_length == "truncate":
            self.report.truncated += sum(truncated)
            return examples
        self.report.skipped += sum(truncated)
        return [example for example, too_long in zip(examples, truncated, strict=True) if not too_long]

    def _count(self, examples: list[tuple[Encoded, ...]]) -> None:
        self.report.examples += len(examples)
        for number, field in enumerate(self._fields):
            if field.unit == self._counted:
                self.report.tokens += sum(len(example[number].ids) for example in examples)
                self.report.unknown += sum(example[number].unknown for example in examples)
            if isinstance(field, NamesField) and field.unknown:
                self._count_names(field, [example[number].ids for example in examples])

    def _count_names(self, field: NamesField, ids: list[NDArray[Any]]) -> None:
        """Count the names that training did not have; a task has at most one field of names."""
        counts = field.count_unknown(np.concatenate([np.empty(0, dtype=np.int32), *ids]))
        for number, before in enumerate(self.report.unknown_names):
            counts[number] += before.times
        self.report.unknown_names = unknown_names(field, counts)


def over_length_error(location: str) -> DataError:
    """Return the error at an example that is too long, where that is one."""
    advice = "raise `data.max_tokens`, or use `data.over_length=truncate` or skip"
    return DataError(f"{location}: longer than `data.max_tokens`; {advice}")


def counted_name(fields: Sequence[Field]) -> str:
    """Return what is counted of examples that have `fields`: their tokens, unless they have none."""
    return next((field.unit for field in fields if field.unit is not None), "token")
