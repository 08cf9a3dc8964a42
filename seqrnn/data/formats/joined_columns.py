"""Texts in several columns, such as the two that an answer compares, read as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import structs

from seqrnn.data.formats.column_names import columns_in
from seqrnn.data.formats.json_text import value_at
from seqrnn.data.formats.table import JoinedColumn, Row, Table
from seqrnn.data.formats.table_cells import text_of

if TYPE_CHECKING:
    from seqrnn.data.source import Source

BETWEEN = " ||| "
"""What stands between two texts, which hardly any text holds."""


def with_joined(table: Table, source: Source) -> Table:
    """Return the table with a further column of the texts that the source names, if it names several.

    Raises RowError and UsageError where it has no such columns.
    """
    chosen = source.text_columns(table.names)
    if len(chosen) < 2 or table.is_empty:
        return table
    keys = [table.find(choice, "`data.text_column`") for choice in chosen]
    joined = JoinedColumn(",".join(keys), keys, str(source.text_column))
    return structs.replace(table, rows=_with_texts(table.rows, joined), joined=joined)


def joined_text(fields: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    """Return the texts of some fields as one, or None where one of them is no text."""
    texts = [text_of(value_at(fields, key)) for key in keys]
    known = [text for text in texts if text is not None]
    return BETWEEN.join(known) if len(known) == len(texts) else None


def text_at(fields: Mapping[str, Any], choice: str) -> str | None:
    """Return the text that a user's choice of one field or several finds in an object, if it is there."""
    return joined_text(fields, columns_in(choice, fields))


def _with_texts(rows: Iterator[Row], joined: JoinedColumn) -> Iterator[Row]:
    for row in rows:
        text = {joined.key: joined_text(row.fields, joined.parts)} if row.fields else {}
        yield row._replace(fields={**row.fields, **text})
