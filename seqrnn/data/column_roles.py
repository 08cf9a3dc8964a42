"""Which columns of a table hold what a model reads and what it answers, told from the first rows."""

from __future__ import annotations

from collections.abc import Sequence

from seqrnn.data.column_sample import ColumnSample
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.formats.token_rows import BLANK_ROWS
from seqrnn.data.number_columns import NumberColumns
from seqrnn.data.table_columns import ColumnRoles, ColumnSpec, TableColumns
from seqrnn.data.text_columns import TextColumns
from seqrnn.data.token_columns import token_columns
from seqrnn.errors import AmbiguousDataError


def choose_columns(name: str, columns: Sequence[ColumnSample], wanted: ColumnSpec) -> ColumnRoles:
    """Tell the roles of the columns of the file `name`.

    Raises UsageError where nothing says which column is which, and AmbiguousDataError, with the settings
    of each reading, where two are near.
    """
    table = NumberColumns(name, columns, wanted)
    if wanted.may_tag and (tokens := _with_tokens(table)):
        return tokens
    lists = table.of_kind("numbers")
    if kind_named(wanted.kind).has_numbers or (wanted.kind == "auto" and wanted.source is None):
        if lists and not table.holds_texts_to_read:
            return table.with_lists_of_numbers(lists)
        if table.is_numeric:
            return table.with_features()
    return TextColumns(name, columns, wanted).with_texts()


def _with_tokens(table: TableColumns) -> ColumnRoles | None:
    """Read sentences, of which each row is a token; None where nothing tells of them."""
    wanted = table.wanted
    tag = wanted.targets[0] if len(wanted.targets) == 1 else None
    columns, blank = list(table.by_key.values()), wanted.blank_rows
    found = token_columns(columns, wanted.sentence, wanted.source, tag, blank)
    if found is None or (found.signs == 0 and wanted.sentence is None):
        return None
    if found.signs == 1 and wanted.sentence is None:
        columns_of_tokens = {"data.text_column": found.token, "data.label_column": found.tag}
        readings = [
            {"data.sentence_column": found.sentence, **columns_of_tokens},
            {"task": "classification", **columns_of_tokens},
        ]
        stays = f'"{found.sentence}" is the same for some rows each'
        what = f"has one word a row, and {'blank rows' if found.sentence == BLANK_ROWS else stays}"
        raise AmbiguousDataError(f"{table.name}: {what}; do they make a sentence?", readings)
    evidence = f"a token a row, and a sentence as long as {found.sentence} stays the same or blank"
    if found.sentence == BLANK_ROWS:
        evidence = "a token a row, and a sentence up to each blank row"
    return ColumnRoles(found.token, (found.tag,), sentence=found.sentence, evidence=evidence)
