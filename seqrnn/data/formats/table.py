"""Tables: rows of columns between TABs (no quoting) or commas (with CSV quoting)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seqrnn.data.formats import LABEL_NAMES, TEXT_NAMES, column_number
from seqrnn.data.lines import LINE_LIMIT, Line
from seqrnn.data.record import Record
from seqrnn.errors import DataError, UsageError

if TYPE_CHECKING:
    from seqrnn.data.source import Source

Row = tuple[int, list[str]]  # the number of its first line, its cells

OTHER_SEPARATORS = {
    "\t": ": commas separate the columns of a CSV, and TABs those of --format tsv",
    ";": ": commas separate the columns, not semicolons",
    "|": ": commas separate the columns, not |",
}
"""What to tell of a CSV row of one cell in which such a character stands: it may have been meant as more."""


def read_tsv(name: str, lines: Iterable[Line], source: Source) -> Iterator[Record]:
    """Yield the rows of a TAB-separated file; see `read_table`."""
    return read_table(name, split_tsv(lines), source)


def read_csv(name: str, lines: Iterable[Line], source: Source) -> Iterator[Record]:
    """Yield the rows of a comma-separated file, whose quoted cells may hold newlines; see `read_table`."""
    return read_table(name, split_csv(name, lines), source)


def split_rows(name: str, lines: Iterable[Line], source: Source) -> Iterator[Row]:
    """Cut lines into cells as the format of the source has it; see `split_csv` and `split_tsv`."""
    return split_csv(name, lines) if source.format == "csv" else split_tsv(lines)


def split_tsv(lines: Iterable[Line]) -> Iterator[Row]:
    """Cut lines at their TABs."""
    return ((line.number, line.text.split("\t")) for line in lines)


def split_csv(name: str, lines: Iterable[Line]) -> Iterator[Row]:
    """Cut lines at their commas, as CSV has it. Raises DataError where quotes do not match."""
    csv.field_size_limit(LINE_LIMIT)
    rows = csv.reader((line.text + "\n" for line in lines), strict=True)
    start = 1
    try:
        for cells in rows:
            yield start, cells
            start = rows.line_num + 1
    except csv.Error as error:
        raise DataError(f"{name}:{start}: not valid CSV: {error}; check the quotes of this row") from error


def read_table(name: str, rows: Iterable[Row], source: Source) -> Iterator[Record]:
    """Yield a record for every row but the header.

    Raises DataError where a row has too few or too many columns, or a chosen column is not there; see
    also `Wanted.find`.
    """
    columns: _Columns | None = None
    for line, cells in rows:
        place = f"{name}:{line}"
        if not "".join(cells).strip():
            yield Record("", (), name, line)
            continue
        if columns is None:
            has_header = _has_header(cells, source)
            columns = _find_columns(cells, has_header, source, place)
            if has_header:
                continue
        columns.check(cells, place, source.format)
        labels = [label for cell in cells[columns.labels] for label in source.split_labels(cell)]
        yield Record(cells[columns.text], tuple(labels), name, line)


@dataclass(frozen=True)
class _Columns:
    """Where text and labels stand in a row; `ragged` rows may have more than `width` columns."""

    text: int
    labels: slice
    width: int
    ragged: bool
    names: str

    def check(self, cells: list[str], place: str, layout: str) -> None:
        """Raise DataError for a row that has not as many columns as it should."""
        count = len(cells)
        if count == self.width or (self.ragged and count > self.width):
            return
        columns = "1 column" if count == 1 else f"{count} columns"
        expected = f"{self.width} or more" if self.ragged else str(self.width)
        advice = ", or use --text-col and --label-col"
        if count == 1 and layout == "csv":
            found = (text for separator, text in OTHER_SEPARATORS.items() if separator in cells[0])
            advice = next(found, advice)
        raise DataError(f"{place}: {columns}, expected {expected} ({self.names}); mend the row{advice}")


def _has_header(cells: list[str], source: Source) -> bool:
    """Whether the first row holds the names of the columns."""
    if source.header != "auto":
        return source.header == "yes"
    if any(column and not column.isdecimal() for column in (source.text_column, source.label_column)):
        return True
    names = {cell.strip().lower() for cell in cells}
    named_label = not names.isdisjoint(LABEL_NAMES)
    if len(cells) > 2 and named_label and not any(name.isdecimal() for name in names):
        return True  # where no column of texts is named, whoever looks for one tells so
    return names <= {*TEXT_NAMES, *LABEL_NAMES} or (named_label and not names.isdisjoint(TEXT_NAMES))


def _find_columns(cells: list[str], has_header: bool, source: Source, place: str) -> _Columns:
    """Decide from the first row, the user's choice and the usual names where text and labels stand."""
    header = [cell.strip() for cell in cells] if has_header else []
    text, label = (
        wanted.find(cells, has_header, place) for wanted in (Wanted.text(source), Wanted.label(source))
    )
    if text is None and label is None:
        return _Columns(0, slice(1, None), 2, ragged=True, names="source, target")
    if text is None:
        if len(cells) != 2:
            raise DataError(f"{place}: which of the {len(cells)} columns holds the text? use --text-col")
        text = 1 if label == 0 else 0
    labels = slice(0) if label is None else slice(label, label + 1)
    return _Columns(text, labels, len(cells), ragged=False, names=", ".join(header) or "as in the first row")


@dataclass(frozen=True)
class Wanted:
    """A column to look for: the user's choice, a number or a name, or else the likeliest usual name."""

    flag: str
    choice: str | None
    usual: tuple[str, ...]

    @classmethod
    def text(cls, source: Source) -> Wanted:
        """Return what is wanted as the text."""
        return cls("--text-col", source.text_column, TEXT_NAMES)

    @classmethod
    def label(cls, source: Source) -> Wanted:
        """Return what is wanted as the label."""
        return cls("--label-col", source.label_column, LABEL_NAMES)

    def find(self, cells: list[str], has_header: bool, place: str) -> int | None:
        """Return the index of the column in `cells`, the first row; None where nothing says which.

        Raises DataError where the user's choice is not there, or two columns bear the name, and
        UsageError for a name where that row is no header.
        """
        names = [cell.strip() for cell in cells] if has_header else []
        if self.choice is None:
            index = usual_column(self.usual, names)
            names = [name.lower() for name in names]
        elif self.choice.isdecimal():
            return self._numbered(column_number(self.choice), len(cells), place)
        else:
            index = self._named(self.choice, names, place)
        if index is not None and names.count(names[index]) > 1:
            what = f'two columns are named "{names[index]}"'
            raise DataError(f"{place}: {what}; rename one, or use {self.flag} with a number")
        return index

    def _numbered(self, number: int, count: int, place: str) -> int:
        if not 1 <= number <= count:
            raise DataError(
                f"{place}: no column {number}, there are {count}; use {self.flag} with one of them"
            )
        return number - 1

    def _named(self, name: str, names: list[str], place: str) -> int:
        if not names:
            what = f"{self.flag} {name} is a name, but the file has no header"
            raise UsageError(f"{what}; give the column's number")
        if name not in names:
            what = f'no column "{name}", the columns are {", ".join(names)}'
            raise DataError(f"{place}: {what}; use {self.flag}")
        return names.index(name)


def usual_column(usual_names: tuple[str, ...], header: list[str]) -> int | None:
    """Return the index of the first column that bears the likeliest of the usual names."""
    names = [name.lower() for name in header]
    return next((names.index(name) for name in usual_names if name in names), None)
