"""Tables of numbers: a vector, or a step of a series, a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seqrnn.data.formats.cells import labels_of
from seqrnn.data.formats.column_names import LABEL_NAMES, SERIES_NAMES
from seqrnn.data.formats.format import RowError
from seqrnn.data.formats.header import is_number
from seqrnn.data.formats.table import Row, Table
from seqrnn.data.record import Record

if TYPE_CHECKING:
    from seqrnn.data.source import Source


def label_keys(table: Table, source: Source) -> tuple[str, ...]:
    """Return the keys of the columns of labels: those chosen, of which commas separate several."""
    if source.label_column is None:
        usual = table.usual(LABEL_NAMES, "--label-col")
        return () if usual is None else (usual,)
    return tuple(table.find(choice, "--label-col") for choice in source.label_columns(table.names))


def series_records(table: Table, name: str, source: Source) -> Iterator[Record]:
    """Yield the series of a table: the rows that have the same value in the series' column, a step each.

    Rows of a series may come in any order; where there is a column of times, it orders the steps. Without
    a column of series, a row is a series of single numbers. Of source kind "vector" each row is an
    example. The label is the same in all rows of a series. Raises RowError for what is no number.
    """
    columns = _Columns.of(table, source)
    filled = (row for row in table.rows if row.fields)
    if source.kind == "vector" or columns.series is None:
        for row in filled:
            yield columns.record([row], name, source)
        return
    for rows in _gathered(filled, columns.series):
        yield columns.record(columns.in_time(rows), name, source)


def _gathered(rows: Iterator[Row], key: str) -> Iterator[list[Row]]:
    """Yield the rows of each series, in the order of their first rows."""
    series: dict[object, list[Row]] = {}
    for row in rows:
        series.setdefault(row.fields[key], []).append(row)
    yield from series.values()


@dataclass(frozen=True)
class _Columns:
    """The keys of the columns of a table of numbers."""

    labels: tuple[str, ...]
    series: str | None
    time: str | None
    features: Sequence[str]

    @classmethod
    def of(cls, table: Table, source: Source) -> _Columns:
        """Take the columns that the source names; every other one that has a name is a feature."""
        labels = label_keys(table, source) if table.names is not None else source.label_columns(None)
        series = table.usual(SERIES_NAMES, "--series-col")
        if source.series_column is not None:
            series = table.find(source.series_column, "--series-col")
        time = source.time_column and table.find(source.time_column, "--time-col")
        if source.feature_columns:
            features = [table.find(name, "--feature-cols") for name in source.feature_columns]
        else:
            titles = zip(table.keys, table.names or (), strict=True)
            features = [key for key, title in titles if title and key not in {*labels, series, time}]
        return cls(labels, series if source.kind == "vectors" else None, time or None, features)

    def in_time(self, rows: list[Row]) -> list[Row]:
        """Return the rows of a series in the order of their times, numbers before texts."""
        if self.time is None:
            return rows
        key = self.time
        return sorted(rows, key=lambda row: _time_order(row.fields[key]))

    def record(self, rows: list[Row], name: str, source: Source) -> Record:
        """Make one record of the rows of a series."""
        steps = [[_number(row, key) for key in self.features] for row in rows]
        if source.kind == "vectors" and self.series is None:
            steps = [[value] for value in steps[0]]
        first, *others = rows
        labels = labels_of(first, self.labels, source)
        for row in others:
            if labels_of(row, self.labels, source) != labels:
                what = f"another label than line {first.line} of the same series"
                raise RowError(row.line, f"{what}; give one label a series")
        return Record("", labels, name, first.line, first.fields, steps)


def _time_order(value: object) -> tuple[bool, float, str]:
    text = str(value)
    return (False, float(text), "") if is_number(text) else (True, 0.0, text)


def _number(row: Row, key: str) -> float:
    value = row.fields.get(key)
    if isinstance(value, bool) or not is_number(str(value)):
        what = f"column {key!r} holds {str(value)[:20]!r}, which is no finite number"
        raise RowError(row.line, f"{what}; fix the row")
    return float(value)  # type: ignore[arg-type]  # a number, or a text that reads as one
