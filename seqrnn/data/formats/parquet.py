"""Parquet: tables in columns, read through pyarrow a row group at a time."""

from __future__ import annotations

import datetime
import decimal
import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from seqrnn.data.answer import AnswerStyle
from seqrnn.data.fields.source_kind import fields_of
from seqrnn.data.formats.answer_writer import AnswerWriter
from seqrnn.data.formats.format import OpenLines, RowError
from seqrnn.data.formats.parquet_rows import ParquetRows
from seqrnn.data.formats.records import TableFormat
from seqrnn.data.formats.table import Row, Table, column_keys
from seqrnn.data.lines import UNREADABLE, file_name
from seqrnn.errors import DataError, UsageError

if TYPE_CHECKING:
    from pyarrow import DataType, Schema
    from pyarrow.parquet import ParquetFile

    from seqrnn.data.source import Source

BATCH_ROWS = 1024
INSTALL = "install pyarrow, which reads parquet: pip install 'seqrnn[parquet]'"


class Parquet(TableFormat):
    """A table whose columns have names and types."""

    extensions = (".parquet", ".pq")
    line_is_row = False
    row_noun = "row"
    has_numbers = True
    has_lines = False

    def table(self, path: str, source: Source, open_lines: OpenLines) -> Table:  # noqa: ARG002
        """Open the file; a row's line is its number, from 1.

        Raises UsageError without pyarrow, DataError for a file that is no parquet, and RowError, while
        rows are taken, for a damaged row group.
        """
        file = _open(path)
        names, schema = file.schema_arrow.names, file.schema_arrow
        if _reads_lists(schema, source):
            return Table(_rows(file, names), schema=schema)
        return Table(_rows(file, names), names, has_header=True, schema=schema)

    def writer(self, table: Table, style: AnswerStyle) -> AnswerWriter:
        """Return what appends columns."""
        return ParquetRows(table.schema, style)


def _reads_lists(schema: Schema, source: Source) -> bool:
    """Whether the input is a list of numbers a row, so that rows are read as objects of JSON are."""
    lists = {field.name for field in schema if _holds_lists_of_numbers(field.type)}
    if source.text_column is not None:
        return source.text_column in lists
    return not source.feature_columns and not lists.isdisjoint(fields_of(source.kind))


def _holds_lists_of_numbers(kind: DataType) -> bool:
    from pyarrow import types

    depth = 0
    while types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        kind, depth = kind.value_type, depth + 1
    is_number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    return depth > 0 and is_number


def _open(path: str) -> ParquetFile:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise UsageError(f"{file_name(path)}: {INSTALL}") from error
    try:
        return ParquetFile(path, memory_map=True)
    except (OSError, ArrowException) as error:
        what = "no parquet file, or a damaged one; write it again"
        if isinstance(error, OSError) and error.errno:
            what = f"{os.strerror(error.errno)}; {UNREADABLE}"
        raise DataError(f"{file_name(path)}: {what}") from error


def _rows(file: ParquetFile, names: list[str]) -> Iterator[Row]:
    from pyarrow import ArrowException

    keys, number = column_keys(names), 0
    try:
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            columns = [column.to_pylist() for column in batch.columns]
            for index, cells in enumerate(zip(*columns, strict=True)):
                number += 1
                yield Row(number, dict(zip(keys, map(_cell, cells), strict=True)), None, (batch, index))
    except (OSError, ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise RowError(number + 1, f"damaged parquet data ({reason}); write the file again") from error


def _cell(value: Any) -> Any:
    """Return a cell as JSON would have it: times as ISO has them, bytes as text, nothing for nan."""
    match value:
        case float() if math.isnan(value):
            return None  # as pandas writes what is missing
        case str() | bool() | int() | float() | None:
            return value
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case decimal.Decimal():
            return float(value)
        case bytes():
            return _text_of_bytes(value)
        case list():
            return [_cell(item) for item in value]
        case dict():
            return {str(name): _cell(item) for name, item in value.items()}
    return str(value)


def _text_of_bytes(value: bytes) -> Any:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"bytes": len(value)}  # an image or the like, which nothing takes for a text
