"""From the rows of a table to records: where source and targets are, and what they hold.

This is decided here once, for delimited files, JSON and Parquet alike.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from msgspec import structs

from seqrnn.data.answer import AnswerStyle
from seqrnn.data.fields.named_files import ARRAY_EXTENSION
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.formats.answer_writer import AnswerableFormat, AnswerWriter, Asked
from seqrnn.data.formats.column_names import LABEL_NAMES, TEXT_NAMES
from seqrnn.data.formats.format import OpenLines, RowError
from seqrnn.data.formats.joined_columns import text_at, with_joined
from seqrnn.data.formats.numbers import steps_in, without_numbers
from seqrnn.data.formats.series import (
    answerable_series,
    label_keys,
    rows_of_numbers,
    series_key,
    series_records,
)
from seqrnn.data.formats.series_answers import SeriesWriter
from seqrnn.data.formats.table import Row, Table, missing
from seqrnn.data.formats.table_cells import labels_of, text_of
from seqrnn.data.formats.text_files import LOOKED_AT, are_in_files, first_of, with_text, with_texts
from seqrnn.data.formats.token_rows import answerable_tokens, token_answer, token_records
from seqrnn.data.lines import file_name
from seqrnn.data.record import Record
from seqrnn.errors import DataError

if TYPE_CHECKING:
    from seqrnn.data.source import Source

TOKENS = "tokens"
TAGS = ("tags", "ner_tags", "pos_tags", "upos", "labels")  # lists that go with `tokens` item by item


class TableFormat(AnswerableFormat):
    """A format whose rows have columns or fields."""

    has_columns = True

    @abstractmethod
    def table(self, path: str, source: Source, open_lines: OpenLines) -> Table:
        """Open the table at `path`. Raises RowError for a malformed row, also while rows are taken."""

    def opened(self, path: str, source: Source, open_lines: OpenLines) -> Table:
        """Open the table, with the texts of several columns as one where the source names several."""
        return with_joined(self.table(path, source, open_lines), source)

    @abstractmethod
    def writer(self, table: Table, style: AnswerStyle) -> AnswerWriter:
        """Return what writes the rows of a table of this format with their answers."""

    def records(self, path: str, source: Source, open_lines: OpenLines) -> Iterator[Record]:
        """Yield a record for every row but the header; see `records_of`."""
        records = records_of(self.opened(path, source, open_lines), file_name(path), source)
        return with_texts(records, source, open_lines)

    def asked(self, path: str, source: Source, open_lines: OpenLines) -> Asked:
        """Open the table, of which each row is answered: also the steps of a series, and single tokens."""
        table = self.opened(path, source, open_lines)
        if _holds_numbers(table, source) and (key := series_key(table, source)) is not None:

            def series_writer(style: AnswerStyle) -> AnswerWriter:
                again = self.opened(path, source, open_lines)
                return SeriesWriter(again.rows, key, self.writer(again, style))

            return Asked(answerable_series(table, file_name(path), source), series_writer)
        rows, writer = self.answerable(table, path, source, open_lines), partial(self.writer, table)
        if source.sentence_column is None:
            return Asked(rows, writer, joined=table.joined and table.joined.key)
        return Asked(rows, writer, token_answer, "label")

    def answerable(
        self, table: Table, path: str, source: Source, open_lines: OpenLines
    ) -> Iterator[tuple[Row, Record | None]]:
        """Yield each row of the table of the file at `path` with its record; see `answerable`."""
        rows = answerable(table, file_name(path), source)
        head, failure = first_of(rows, LOOKED_AT)
        in_files = are_in_files([record for _, record in head if record is not None], source)
        for row, record in chain(head, () if failure else rows):
            yield _with_text(row, record, open_lines) if in_files else (row, record)
        if failure is not None:
            raise failure


def _with_text(row: Row, record: Record | None, open_lines: OpenLines) -> tuple[Row, Record | None]:
    try:
        return row, record and with_text(record, open_lines)
    except DataError as error:
        location = record.location if record else ""
        return row._replace(error=str(error).removeprefix(f"{location}: ")), None


def records_of(table: Table, name: str, source: Source) -> Iterator[Record]:
    """Yield the input of each row of a table, and its targets, as the source says where they are.

    Raises RowError where a row has no text or numbers, or a label of another kind than a string, a
    number, a truth value, null (no label) or a list of strings.
    """
    if _holds_numbers(table, source):
        first = next(table.rows, None)
        if first is None:
            return
        table = structs.replace(table, rows=chain((first,), table.rows))
        if not any(
            isinstance(cell, str) and cell.endswith(ARRAY_EXTENSION) for cell in first.fields.values()
        ):
            yield from series_records(table, name, source)
            return
    if source.sentence_column is not None:
        yield from token_records(table, name, source)
        return
    if table.names is None:
        roles = None
    elif (roles := _roles(table, source)) is None:
        return
    for row in table.rows:
        yield _record(row, name, source, roles)


def answerable(table: Table, name: str, source: Source) -> Iterator[tuple[Row, Record | None]]:
    """Return each row of a table with what a model reads of it, whose answer need not be there.

    A row that cannot be read comes with its `error` and without a record. Raises RowError where the
    table has no column to read.
    """
    if table.is_empty:
        return ((row, Record("", (), name, row.line)) for row in table.rows)
    if source.sentence_column is not None:
        return answerable_tokens(table, name, source)
    if _holds_numbers(table, source):
        read = rows_of_numbers(table, name, source)
    else:
        roles = None if table.names is None else _Roles(_text_key(table, source), ())
        read = partial(_record, name=name, source=replace(source, label_column=None), roles=roles)
    return _read(table.rows, read)


def _holds_numbers(table: Table, source: Source) -> bool:
    if table.is_empty or not kind_named(source.kind).in_columns:
        return False
    return table.names is not None or bool(source.feature_columns)


def _read(rows: Iterator[Row], read: Callable[[Row], Record]) -> Iterator[tuple[Row, Record | None]]:
    for row in rows:
        try:
            yield row, None if row.error else read(row)
        except RowError as error:
            yield row._replace(error=str(error)), None


def _text_key(table: Table, source: Source) -> str:
    """Return the key of the column that a model reads: its own, a usual name, or the only one left."""
    if source.text_column is not None:
        return table.find(source.text_column, "`data.text_column`")
    named, keys = table.usual(TEXT_NAMES, "`data.text_column`"), table.keys
    if named is None and not table.has_header:
        named = keys[0]
    others = [key for key in keys if key != table.usual(LABEL_NAMES, "`data.label_column`")]
    return named or _only(others, table)


def _only(keys: Sequence[str], table: Table) -> str:
    """Return the only one of some keys. Raises RowError where there are several, or none."""
    if len(keys) != 1:
        raise RowError(
            table.line, f"which of the {len(table.keys)} columns holds the text? use `data.text_column`"
        )
    return keys[0]


@dataclass(frozen=True)
class _Roles:
    """The keys of the columns of source and targets; `labels` None: all after the source."""

    text: str
    labels: tuple[str, ...] | None


def _roles(table: Table, source: Source) -> _Roles | None:
    """Decide by the user's choice, or else by usual names, which columns hold source and targets."""
    keys = table.keys
    if not keys:
        return None
    text = table.find(source.text_column, "`data.text_column`") if source.text_column else None
    text = text or table.usual(TEXT_NAMES, "`data.text_column`")
    labels = label_keys(table, source)
    if text is None and not labels:
        return _Roles(keys[0], None)
    if text is None:
        text = _only([key for key in keys if key not in labels], table)
    return _Roles(text, tuple(label for label in labels if label != text))


def _record(row: Row, name: str, source: Source, roles: _Roles | None) -> Record:
    if not row.checked().fields:
        return Record("", (), name, row.line)
    if roles is None:
        return _record_of_object(row, name, source)
    keys = list(row.fields)
    labels = keys[keys.index(roles.text) + 1 :] if roles.labels is None else roles.labels
    text = text_of(row.fields[roles.text])
    if text is None:
        raise RowError(row.line, f'"{roles.text}" is no text; {_advice(row.fields[roles.text])}')
    return Record(text, labels_of(row, labels, source), name, row.line, row.fields)


def _record_of_object(row: Row, name: str, source: Source) -> Record:
    """Make a record of an object, whose fields need not be those of the other rows."""
    fields, column = row.fields, source.text_column
    steps = steps_in(fields, source.kind, column)
    kind = kind_named(source.kind)
    if column is None and kind.file_kind != "text" and source.kind in fields:
        column = source.kind  # which may hold a path, and comes before any text
    if steps is None and kind.has_numbers and not _holds_path(fields, column):
        raise RowError(row.line, without_numbers(source.kind, source.text_column))
    text = _text(row, column) if steps is None else ""
    labels = _labels_of_object(fields, source, row.line)
    return Record(text, labels_of(row, labels, source), name, row.line, fields, steps)


def _advice(cell: Any) -> str:
    """Return what to do about a cell that holds no text."""
    return "fill it, or leave the row out" if cell is None else "use `data.text_column` to name the text"


def _holds_path(fields: Mapping[str, Any], column: str | None) -> bool:
    value = None if column is None else fields.get(column)
    return isinstance(value, str) and value.endswith(ARRAY_EXTENSION)


def _text(row: Row, column: str | None) -> str:
    key, text = find_text(row.fields, column)
    if text is None and key not in row.fields:
        raise RowError(row.line, f"{missing(row.fields, key)}; use `data.text_column` to name the text")
    if text is None:
        advice = _advice(row.fields[key])
        raise RowError(row.line, f'"{key}" is no string or list of strings; {advice}')
    return text


def _labels_of_object(fields: Mapping[str, Any], source: Source, line: int) -> tuple[str, ...]:
    if source.label_column is None:
        names = (*TAGS, *LABEL_NAMES) if TOKENS in fields else LABEL_NAMES
        return next(((name,) for name in names if name in fields), ())
    chosen = source.label_columns(list(fields))
    for key in chosen:
        if key not in fields:
            raise RowError(line, f"{missing(fields, key)}; use `data.label_column` to name the label")
    return chosen


def find_text(fields: Mapping[str, Any], column: str | None) -> tuple[str, str | None]:
    """Return the field that a `column` names, or the first of a usual name, and its text, if it is one."""
    name = column or next((name for name in text_names(fields) if name in fields), "text")
    return name, text_at(fields, name)


def text_names(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the usual names of the field that holds the text of an object, the likeliest first."""
    return (TOKENS, *TEXT_NAMES) if isinstance(fields.get(TOKENS), str | list) else TEXT_NAMES
