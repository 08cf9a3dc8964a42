"""Which columns of a table hold what: told from its first rows, said to the user, and kept as settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

from seqrnn.data.character_spans import character_spans
from seqrnn.data.column_roles import choose_columns
from seqrnn.data.column_sample import ColumnSample
from seqrnn.data.fields.named_files import folder_of
from seqrnn.data.formats.format import HEAD_ROWS, RowError
from seqrnn.data.formats.joined_columns import BETWEEN
from seqrnn.data.formats.number_marks import Column, two_readings
from seqrnn.data.formats.records import TableFormat
from seqrnn.data.formats.registry import format_named
from seqrnn.data.formats.series import label_keys
from seqrnn.data.formats.table import Row, Table
from seqrnn.data.formats.table_cells import holds_indicators
from seqrnn.data.formats.text_files import LOOKED_AT, name_text_files
from seqrnn.data.formats.token_rows import BLANK_ROWS
from seqrnn.data.lines import file_name
from seqrnn.data.sample import head_of
from seqrnn.data.source import Source
from seqrnn.data.table_columns import ColumnRoles, ColumnSpec
from seqrnn.data.wording import listed
from seqrnn.errors import AmbiguousDataError, DataError, UsageError

SHOWN = 6  # columns that a line names
MOST_LONGER = 4.0  # times as many characters as another right answer
SPANS_ADVICE = "write the words of each text and their tags (B-PER, I-PER, O) as lists `tokens` and `tags`"
TEXT_TASKS = ("language-model", "tagging")  # which read no numbers and no images


def infer_columns(source: Source, task: str | None) -> tuple[Source, dict[str, Any], list[str]]:
    """Return the source with its columns chosen, the same as settings, and what to say of them."""
    name = file_name(source.paths[0])
    layout = format_named(source.format)
    assert isinstance(layout, TableFormat)
    try:
        table = layout.opened(source.paths[0], source, source.lines)
        wanted = _wanted(source, table, task)
        features = _features(source, table)
        _ask_about_marks(name, table)
        first = list(head_of((row.checked() for row in table.rows), _characters))
        rows = [row for row in first if row.fields]
    except RowError as error:
        raise DataError(f"{name}:{error.line}: {error}") from error
    if not rows:
        raise DataError(f"{name}: holds no rows with text; give a file with at least one")
    columns = _columns(table, rows, source)
    if (spans := character_spans(columns)) is not None and source.label_column in {None, spans[0]}:
        what = f"{spans[0]!r} holds spans of characters, such as {spans[1]}, and tags are one for each token"
        raise UsageError(f"{name}: {what}; {SPANS_ADVICE}")
    if table.ragged and task in {None, "seq2seq"} and _are_references(columns):
        return replace(source, header="no"), {"data.header": "no"}, []
    between = sum(bool(row.fields) and not before.fields for before, row in pairwise(first))
    wanted = replace(wanted, blank_rows=between)
    roles = choose_columns(name, columns, wanted)
    roles = replace(roles, features=features) if features else roles
    if table.ragged and len(columns) == 2 and (roles.source, roles.targets) == ("1", ("2",)):
        # An evaluation may have further columns, which are other right answers.
        settled = {"header": "no", **_text_in(roles, columns)}
        told = {f"data.{name}": value for name, value in settled.items()}
        return replace(source, **settled), told, [_described(table, roles, columns)]  # type: ignore[arg-type]
    return _chosen(source, table, roles, columns, task)


def numbered_columns(source: Source) -> tuple[Source, dict[str, Any], list[str]]:
    """Return the same for a format whose columns have no names."""
    layout = format_named(source.format)
    lines = islice(source.lines(source.paths[0]), HEAD_ROWS if layout.has_lines else 0)
    chosen = layout.columns_of([line.text for line in lines])
    settings = {f"data.{name}": value for name, value in chosen.items()}
    notes = [f"columns: read: {chosen['text_column']}; answer: {chosen['label_column']}"] if chosen else []
    return replace(source, **chosen), settings, notes  # type: ignore[arg-type]


def _are_references(columns: list[ColumnSample]) -> bool:
    """Whether all columns after the second are further targets, which not every row has.

    The first are there wherever later ones are, and all are about as long.
    """
    if len(columns) < 3:
        return False
    filled = [len(column.filled) for column in columns[1:]]
    first, *others = (column.characters for column in columns[1:])
    alike = all(first / MOST_LONGER <= other <= first * MOST_LONGER for other in others)
    return filled[-1] < filled[0] and alike and filled == sorted(filled, reverse=True)


def _wanted(source: Source, table: Table, task: str | None) -> ColumnSpec:
    """Return what the user has settled, each column by its key."""

    def key(choice: str | None, flag: str) -> str | None:
        return choice if choice is None else table.find(choice, flag)

    sentence = source.sentence_column
    return ColumnSpec(
        source=key(source.text_column, "`data.text_column`"),
        targets=() if source.label_column is None else label_keys(table, source),
        series=key(source.series_column, "`data.series_column`"),
        time=key(source.time_column, "`data.time_column`"),
        sentence=sentence if sentence == BLANK_ROWS else key(sentence, "`data.sentence_column`"),
        kind=source.kind,
        multi_label=source.multi_label,
        may_tag=task in {None, "tagging"} and source.kind in {"auto", "text"} and not source.multi_label,
        writes_texts=source.kind == "auto" and task in {None, "seq2seq"},
        reads_texts=source.kind == "auto" and task in {*TEXT_TASKS, "seq2seq"},
    )


def _features(source: Source, table: Table) -> tuple[str, ...]:
    """Return the columns of numbers that are settled, as those of a training are in an evaluation."""
    return tuple(table.find(name, "`data.feature_columns`") for name in source.feature_columns)


def _columns(table: Table, rows: list[Row], source: Source) -> list[ColumnSample]:
    keys = list(dict.fromkeys(key for row in rows for key in row.fields))
    titles = dict(zip(table.keys, table.names or (), strict=True)) if table.has_header else {}
    if table.names is None:
        titles = {key: key for key in keys}
    folder = folder_of(source.paths[0])
    columns = []
    for key in keys:
        cells = [row.fields.get(key) for row in rows]
        texts = [cell for cell in cells[:LOOKED_AT] if isinstance(cell, str)]
        names_files = source.text_in != "cells" and name_text_files(texts, folder)
        joined = table.joined.parts if table.joined is not None and key == table.joined.key else ()
        columns.append(ColumnSample(key, titles.get(key, ""), cells, names_files, joined))
    return columns


def _chosen(
    source: Source, table: Table, roles: ColumnRoles, columns: list[ColumnSample], task: str | None
) -> tuple[Source, dict[str, Any], list[str]]:
    settings: dict[str, Any] = {
        "text_column": roles.source,
        "label_column": ",".join(roles.targets) or None,
        "series_column": roles.series,
        "time_column": roles.time,
        "sentence_column": roles.sentence,
        "feature_columns": roles.features,
    }
    targets = [column.cells for column in columns if column.key in roles.targets]
    if len(targets) > 1 and task in {None, "classification"} and all(map(holds_indicators, targets)):
        settings["multi_label"] = True
    settings |= _text_in(roles, columns)
    if table.names is not None:
        settings["header"] = "yes" if table.has_header else "no"
    if table.marks is not None and table.marks.mark != "auto":
        settings["decimal_mark"] = table.marks.mark
    kind = source.kind if roles.kind == "auto" else roles.kind
    notes = [_described(table, roles, columns)]
    return (
        replace(source, kind=kind, **settings),
        {f"data.{name}": value for name, value in settings.items()},
        notes,
    )


def _text_in(roles: ColumnRoles, columns: list[ColumnSample]) -> dict[str, str]:
    """Return the setting that says so where the cells that are read name files."""
    in_files = any(column.key == roles.source and column.names_files for column in columns)
    return {"text_in": "files"} if in_files else {}


def _described(table: Table, roles: ColumnRoles, columns: list[ColumnSample]) -> str:
    """Say what each column was taken for."""
    parts = {
        "read": [roles.source] if roles.source else list(roles.features or roles.shown),
        "answer": list(roles.targets),
        "series": [roles.series] if roles.series else [],
        "time": [roles.time] if roles.time else [],
        "sentence": [roles.sentence] if roles.sentence else [],
    }
    used = {key for keys in (*parts.values(), roles.joined) for key in keys}
    parts["left out"] = [column.key for column in columns if column.key not in used]
    named = "; ".join(f"{role}: {listed(keys, SHOWN)}" for role, keys in parts.items() if keys)
    if roles.evidence:
        named += f"; {roles.evidence}"
    if roles.joined:
        named += f"; read as one text, apart by {BETWEEN.strip()}"
    if _text_in(roles, columns):
        named += "; its cells name text files, which are read (`data.text_in`)"
    if table.comments:
        named += f"; comment lines before them: {table.comments}"
    if thousands := _with_thousands(table):
        named += f"; with a mark between thousands: {thousands}"
    header = "" if table.names is None else "line 1 names them; " if table.has_header else "no header; "
    return f"columns: {header}{named}"


def _marks_found(table: Table) -> Mapping[int, Column]:
    """Return the columns whose numbers are not written as programs write them, by their indices."""
    return {} if table.marks is None else table.marks.found


def _with_thousands(table: Table) -> str:
    """Return the columns of numbers with marks between thousands, each with an example."""
    found = _marks_found(table)
    examples = [f"{table.keys[i]} ({column.example})" for i, column in found.items() if column.example]
    return listed(examples, SHOWN)


def _ask_about_marks(name: str, table: Table) -> None:
    """Ask where numbers can be read in two ways, or a comma may stand between labels."""
    for index, column in _marks_found(table).items():
        key, comma = table.keys[index], {"data.decimal_mark": "comma"}
        if column.question == "thousands":
            what = f"column {key!r} holds {two_readings(column.example)}; what stands before fractions?"
            raise AmbiguousDataError(f"{name}: {what}", [{"data.decimal_mark": "point"}, comma])
        if column.question == "labels":
            what = f"column {key!r} holds {column.example!r}; is that a number, or two labels?"
            raise AmbiguousDataError(f"{name}: {what}", [comma, {"data.multi_label": "true"}])


def _characters(row: Row) -> int:
    return sum(len(cell) for cell in row.fields.values() if isinstance(cell, str))
