"""Parquet files with their answers: the columns as they were, with their types, and further ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from seqrnn.data.answer import AnswerStyle
from seqrnn.data.formats.answer_writer import (
    Answered,
    AnswerWriter,
    Sink,
    answer_columns,
    answer_names,
    names_beside,
)
from seqrnn.data.formats.binary_sink import BinaryFile

if TYPE_CHECKING:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

GROUP_ROWS = 1 << 16  # of a row group, as long as they are not large
GROUP_BYTES = 32 << 20


class ParquetRows(AnswerWriter):
    """Writes the rows in groups, with the columns of the answers after their own."""

    is_binary = True
    shards = "files"

    def __init__(self, schema: pyarrow.Schema, style: AnswerStyle) -> None:
        import pyarrow

        self._style = style
        names = names_beside(schema.names, answer_names(style), style.prefix)
        self._added = list(map(pyarrow.field, names, _types(style)))
        self._schema = schema
        self._file = BinaryFile()
        self._writer: ParquetWriter
        self._tables: list[pyarrow.Table] = []  # of the row group that is being gathered

    def begin(self, out: Sink) -> None:
        """Write what a file begins with."""
        from pyarrow.parquet import ParquetWriter

        schema = self._schema
        for field in self._added:
            schema = schema.append(field)
        self._schema = schema
        self._writer = ParquetWriter(self._file, schema)
        self._file.hand_on(out)

    def write(self, examples: Sequence[Answered], out: Sink) -> None:
        """Take some rows, and write those gathered so far if they are enough for a row group."""
        answers = [answer_columns(answer, self._style) for _, answer in examples]
        start = 0
        for table in _tables([row.raw for row, _ in examples]):
            self._tables.append(self._extended(table, answers[start : start + len(table)]))
            start += len(table)
        rows, size = (sum(map(measure, self._tables)) for measure in (len, lambda table: table.nbytes))
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            self._write_group(out)

    def end(self, out: Sink) -> None:
        """Write the rows that are left, and the file's footer."""
        self._write_group(out)
        self._writer.close()
        self._file.hand_on(out)

    def _extended(self, table: pyarrow.Table, answers: Sequence[Sequence[Any]]) -> pyarrow.Table:
        import pyarrow

        for field, values in zip(self._added, zip(*answers, strict=True), strict=True):
            table = table.append_column(field, pyarrow.array(values, field.type))
        return table

    def _write_group(self, out: Sink) -> None:
        import pyarrow

        if not self._tables:
            return
        table = pyarrow.concat_tables(self._tables).cast(self._schema)
        self._tables = []
        self._writer.write_table(table, row_group_size=GROUP_ROWS)
        self._file.hand_on(out)


def _types(style: AnswerStyle) -> Iterator[pyarrow.DataType]:
    """Yield the types of the columns that are added."""
    import pyarrow

    of_items = {"labels": pyarrow.string(), "tags": pyarrow.string(), "notes": pyarrow.int64()}
    if style.kind in of_items:
        yield pyarrow.list_(of_items[style.kind])
    else:
        yield pyarrow.float64() if style.kind == "number" else pyarrow.string()
    if style.kind != "number":
        yield pyarrow.float64()
    if style.has_probabilities:
        single = pyarrow.float64()
        yield from [single] * len(style.classes) or [pyarrow.list_(single)]


def _tables(rows: Sequence[tuple[pyarrow.RecordBatch, int]]) -> Iterator[pyarrow.Table]:
    """Yield the rows, each given by its batch and its index in it, as tables."""
    import pyarrow

    for _, group in groupby(rows, key=lambda row: id(row[0])):
        (batch, first), *others = group
        yield pyarrow.Table.from_batches([batch.slice(first, 1 + len(others))])
