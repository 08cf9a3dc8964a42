"""Tables of numbers: a vector, or a step of a series, a row."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seqrnn.data.formats.column_names import LABEL_NAMES, SERIES_NAMES
from seqrnn.data.formats.format import RowError
from seqrnn.data.formats.numbers import Features, number_in, steps_asked
from seqrnn.data.formats.table import Row, Table
from seqrnn.data.formats.table_cells import labels_of
from seqrnn.data.formats.times import DateOrder, Moment, date_order, moment_of, natural_key
from seqrnn.data.record import Record
from seqrnn.errors import AmbiguousDataError, UsageError

if TYPE_CHECKING:
    from seqrnn.data.source import Source


def label_keys(table: Table, source: Source) -> tuple[str, ...]:
    """Return the keys of the columns of labels: those chosen, of which commas separate several."""
    if source.label_column is None:
        usual = table.usual(LABEL_NAMES, "`data.label_column`")
        return () if usual is None else (usual,)
    return tuple(table.find(choice, "`data.label_column`") for choice in source.label_columns(table.names))


def series_records(table: Table, name: str, source: Source) -> Iterator[Record]:
    """Yield the series of a table: the rows that have the same value in the series' column, a step each.

    Rows of a series may come in any order; where there is a column of times, it orders the steps. Without
    a column of series, a row is a series of single numbers. Of source kind "vector" each row is an
    example. The label is the same in all rows of a series. Raises RowError for what is no number.
    """
    columns = _SeriesColumns.of(table, source)
    filled = (row for row in table.rows if row.checked().fields)
    if source.kind == "vector" or columns.series is None:
        for row in filled:
            yield columns.record(row, name, source)
        return
    yield from _gathered(filled, columns, name, source)


def rows_of_numbers(table: Table, name: str, source: Source) -> Callable[[Row], Record]:
    """Return what makes a record of each row by itself, whose label need not be there."""
    columns = _without_labels(table, source)
    return lambda row: columns.record(row, name, source) if row.fields else Record("", (), name, row.line)


def series_key(table: Table, source: Source) -> str | None:
    """Return the key of the column that says which series a row belongs to, if rows are steps of series."""
    return _without_labels(table, source).series


def answerable_series(table: Table, name: str, source: Source) -> Iterator[tuple[Row, Record | None]]:
    """Yield the first row of each series with the input of all its rows; labels need not be there.

    A series with a row that cannot be read has an error instead, and so has a row of no series.
    """
    columns = _without_labels(table, source)
    series: dict[object, _Series] = {}
    errors: dict[object, RowError] = {}
    for row in table.rows:
        if row.error is not None:
            yield row._replace(fields={}), None
        elif row.fields:
            try:
                key = name_of_series(row, columns.series or "")
            except RowError as error:
                yield row._replace(fields={}, error=str(error)), None
                continue
            found = series.setdefault(key, _Series(row, ()))
            try:
                found.add(row, columns, source)
            except RowError as error:
                errors.setdefault(key, error)
    order = _date_order([found.times for key, found in series.items() if key not in errors], name, source)
    for key, found in series.items():
        first = found.first
        if key in errors:
            yield first._replace(line=errors[key].line, error=str(errors[key])), None
        else:
            steps = found.steps(len(columns.features), order)
            yield first, Record("", (), name, first.line, first.fields, steps)


def name_of_series(row: Row, key: str) -> object:
    """Return which series a row belongs to. Raises RowError for an object that does not say so."""
    name = row.cell(key)
    if isinstance(name, list | dict):
        raise RowError(row.line, f'"{key}" holds no name of a series; give a string or a number')
    return name


def _without_labels(table: Table, source: Source) -> _SeriesColumns:
    return replace(_SeriesColumns.of(table, replace(source, label_column=None)), labels=())


def _gathered(rows: Iterator[Row], columns: _SeriesColumns, name: str, source: Source) -> Iterator[Record]:
    """Yield a record for each series, in the order of their first rows.

    Any row may be one of any series, so all are held, as plain numbers: 8 bytes each, 16 for a time.
    Raises AmbiguousDataError where days cannot be told from months, and the order depends on it.
    """
    series: dict[object, _Series] = {}
    for row in rows:
        key = name_of_series(row, columns.series or "")
        if key not in series:
            series[key] = _Series(row, labels_of(row, columns.labels, source))
        series[key].add(row, columns, source)
    order = _date_order([found.times for found in series.values()], name, source)
    for found in series.values():
        steps = found.steps(len(columns.features), order)
        yield Record("", found.labels, name, found.first.line, found.first.fields, steps)


class _Series:
    """What is held of the rows of a series."""

    def __init__(self, first: Row, labels: tuple[str, ...]) -> None:
        self.first = first
        self.labels = labels
        self._values = array("d")  # all features of one row after the other
        self.times = _Times()

    def add(self, row: Row, columns: _SeriesColumns, source: Source) -> None:
        """Take a row. Raises RowError for what is no number, and for another label than the first's."""
        if [*map(str.strip, labels_of(row, columns.labels, source))] != [*map(str.strip, self.labels)]:
            what = f"another label than line {self.first.line} of the same series"
            raise RowError(row.line, f"{what}; give one label a series")
        self._values.extend(columns.numbers(row))
        if columns.time is not None:
            self.times.add(row, columns.time)

    def steps(self, features: int, order: DateOrder) -> list[list[float]]:
        """Return the numbers of each row, in the order of their times."""
        rows = [self._values[at : at + features].tolist() for at in range(0, len(self._values), features)]
        return [rows[index] for index in self.times.sorted(order)] if len(self.times) else rows


class _Times:
    """The times of the rows of a series: numbers and dates as numbers, other texts after them."""

    def __init__(self) -> None:
        self._moments = array("d")  # two for each row: where days come first, and where months do
        self._texts: dict[int, str] = {}  # by the index of the row
        self.example = ""

    def __len__(self) -> int:
        return len(self._moments) // 2

    def add(self, row: Row, key: str) -> None:
        """Take the time of a row. Raises RowError for a date that there is not."""
        cell = row.cell(key)
        text = "" if cell is None else str(cell)
        moment = moment_of(text)
        if moment is None:
            self._texts[len(self)] = text
            moment = Moment(0.0, 0.0)
        elif date_order([moment]) is None:
            raise RowError(row.line, f"{text[:40]!r} in the column {key!r} is no date; fix the row")
        if moment.by_points and not math.isnan(moment.day_first):
            moment = Moment(moment.day_first, math.nan)
        if moment.day_first != moment.month_first:
            self.example = self.example or text
        self._moments.extend(moment[:2])

    def fits(self, order: DateOrder) -> bool:
        """Whether all times are dates, if days or months come first."""
        return not any(map(math.isnan, self._moments[order == "month-first" :: 2]))

    def sorted(self, order: DateOrder) -> list[int]:
        """Return the indices of the rows in the order of their times."""
        at = self._moments[order == "month-first" :: 2]
        return sorted(
            range(len(self)),
            key=lambda row: (row in self._texts, at[row], natural_key(self._texts.get(row, ""))),
        )


def _date_order(series: Sequence[_Times], name: str, source: Source) -> DateOrder:
    """Return whether days or months come first in the times of all series."""
    known: tuple[DateOrder, ...] = ("day-first", "month-first")
    if source.date_order in known:
        return source.date_order
    fitting = [order for order in known if all(times.fits(order) for times in series)]
    if len(fitting) == 2 and any(times.sorted(known[0]) != times.sorted(known[1]) for times in series):
        example = next(times.example for times in series if times.example)
        what = f"a time such as {example!r} may begin with the day or with the month"
        readings = [{"data.date_order": order} for order in known]
        raise AmbiguousDataError(f"{name}: {what}; which is it (2024-12-31 would be plain)?", readings)
    if not fitting:
        raise UsageError(f"{name}: some times begin with the day and some with the month; write them alike")
    return fitting[0]


@dataclass(frozen=True)
class _SeriesColumns:
    """The keys of the columns of a table of numbers."""

    labels: tuple[str, ...]
    series: str | None
    time: str | None
    features: tuple[str, ...]

    @classmethod
    def of(cls, table: Table, source: Source) -> _SeriesColumns:
        """Take the columns that the source names; every other one that has a name is a feature."""
        labels = label_keys(table, source)
        series = None if source.feature_columns else table.usual(SERIES_NAMES, "`data.series_column`")
        if source.series_column is not None:
            series = table.find(source.series_column, "`data.series_column`")
        time = source.time_column and table.find(source.time_column, "`data.time_column`")
        if source.feature_columns:
            features = [table.find(name, "`data.feature_columns`") for name in source.feature_columns]
        else:
            titles = zip(table.keys, table.names or (), strict=True)
            features = [key for key, title in titles if title and key not in {*labels, series, time}]
        return cls(labels, series if source.kind == "vectors" else None, time or None, tuple(features))

    def numbers(self, row: Row) -> list[float]:
        """Return the features of a row. Raises RowError for what is no number."""
        return [_number(row, key) for key in self.features]

    def record(self, row: Row, name: str, source: Source) -> Record:
        """Make a record of a row by itself: one vector, or a series of single numbers.

        An object may have them in a list, too.
        """
        try:
            steps = steps_asked(row.fields, source.kind, features=Features(self.features))
        except ValueError as error:
            raise RowError(row.line, str(error)) from error
        return Record("", labels_of(row, self.labels, source), name, row.line, row.fields, steps)


def _number(row: Row, key: str) -> float:
    try:
        return number_in(row.fields, key)
    except ValueError as error:
        raise RowError(row.line, str(error)) from error
