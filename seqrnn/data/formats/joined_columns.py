"""Texts in several columns, such as the two that an answer compares, read as one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import structs

from seqrnn.data.formats.json_text import value_at
from seqrnn.data.formats.table import Row, Table
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
    choice, key = str(source.text_column), ",".join(keys)
    return structs.replace(table, rows=_joined(table.rows, keys, key), joined=(choice, key))


def parts_of(key: str, keys: Collection[str]) -> list[str]:
    """Return the keys of the columns that one was joined of, or none for the key of another column."""
    parts = [part for part in key.split(",") if part in keys]
    return [] if len(parts) < 2 or ",".join(parts) != key else parts


def joined_text(fields: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    """Return the texts of some fields as one, or None where one of them is no text."""
    texts = [text_of(value_at(fields, key)) for key in keys]
    known = [text for text in texts if text is not None]
    return BETWEEN.join(known) if len(known) == len(texts) else None


def text_at(fields: Mapping[str, Any], choice: str) -> str | None:
    """Return the text that a user's choice of one field or several finds in an object, if it is there."""
    keys = [choice] if choice in fields else [key.strip() for key in choice.split(",")]
    return joined_text(fields, keys)


def _joined(rows: Iterator[Row], keys: Sequence[str], joined: str) -> Iterator[Row]:
    for row in rows:
        if row.fields:
            row = row._replace(fields={**row.fields, joined: joined_text(row.fields, keys)})  # noqa: PLW2901
        yield row
