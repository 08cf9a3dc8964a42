"""Tables of numbers: a vector, or a step of a series, a row."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, groupby, islice, pairwise
from typing import TYPE_CHECKING, Literal

from seqrnn.data.fields.named_files import ARRAY_EXTENSION
from seqrnn.data.formats import HEAD_ROWS, TEXT_NAMES
from seqrnn.data.formats.table import Row, Wanted, read_table, split_rows, usual_column
from seqrnn.data.lines import Line
from seqrnn.data.record import Record
from seqrnn.errors import DataError, UsageError

if TYPE_CHECKING:
    from seqrnn.data.source import Source

SERIES_NAMES = ("series", "id")
"""Names of a column that says which series a row belongs to, or which row it is: never a feature."""

MOST_MISFITS = 0.1  # share of a column's cells that may be no numbers: slips are to be told, not read as text
# As programs write numbers: the digits of a postcode (00097) mean another thing without their zeros.
PLAIN_NUMBER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")


def read_series(name: str, lines: Iterable[Line], source: Source) -> Iterator[Record]:
    """Yield the series of a table that has a header: rows that follow one another, a time step each.

    Rows belong together while the column `series` (or `id`) stays the same; without one, each row is a
    series of single numbers. Of source kind "vector" each row is an example. The label is in a column
    of a usual name or in the one that the source names, and the same in all rows of a series. Every
    other column that has a name is a feature. Raises DataError for what is no number.

    A table whose cells name arrays (`.npy`) is read as one of texts is: the files hold the numbers.
    """
    rows = split_rows(name, lines, source)
    head = list(islice(rows, 2))  # of which one may be a header
    rows = chain(head, rows)
    if any(cell.endswith(ARRAY_EXTENSION) for _, cells in head for cell in cells):
        yield from read_table(name, rows, source)
        return
    filled = ((number, cells) for number, cells in rows if "".join(cells).strip())
    first = next(filled, None)
    if first is None:
        return
    table = _Table.of(name, first, source)
    for _, steps in groupby(enumerate(filled), lambda row: table.series(*row)):
        yield table.record([row for _, row in steps], source)


def numbers_in_table(name: str, lines: Iterable[Line], source: Source) -> Literal["vector", "vectors"] | None:
    """Return what a table of numbers holds by its first rows, or None where it is one of texts.

    One of numbers has a header, which names no column of texts, and numbers in every column that is
    a feature. They are series where a key comes again in the next row. Raises UsageError where the
    header does not tell the column of the labels.
    """
    header, body = _head_of(name, lines, source)
    named_texts = source.text_column is not None or usual_column(TEXT_NAMES, header) is not None
    if named_texts or source.header == "no" or not body or any(map(is_number, header)):
        return None
    label, key = Wanted.label(source).find(header, True, f"{name}:1"), usual_column(SERIES_NAMES, header)
    columns = {place for place, title in enumerate(header) if title} - {label, key}
    numeric = {place for place in columns if _holds_numbers(body, place)}
    if label is None and len(numeric) > 1 >= len(columns - numeric):
        what = f"which of the columns {', '.join(header)} holds the label?"
        advice = "use --label-col, or --source text to read them as texts"
        raise UsageError(f"{name} holds numbers; {what} {advice}")
    if label is None or not numeric or numeric < columns:
        return None
    keys = [] if key is None else [cells[key] for cells in body if key < len(cells)]
    return "vectors" if any(first == second for first, second in pairwise(keys)) else "vector"


def _head_of(name: str, lines: Iterable[Line], source: Source) -> tuple[list[str], list[list[str]]]:
    rows = split_rows(name, lines, source)
    filled = ([cell.strip() for cell in cells] for _, cells in rows if "".join(cells).strip())
    return next(filled, []), list(islice(filled, HEAD_ROWS))


def _holds_numbers(rows: list[list[str]], place: int) -> bool:
    """Whether a column holds numbers but for slips; a single one that is not plain tells of texts."""
    numbers = [cells[place] for cells in rows if place < len(cells) and is_number(cells[place])]
    few_slips = len(rows) - len(numbers) <= MOST_MISFITS * len(rows)
    return few_slips and all(map(PLAIN_NUMBER.fullmatch, numbers))


@dataclass(frozen=True)
class _Table:
    """Which columns of a table hold what."""

    name: str
    header: list[str]
    label: int | None
    key: int | None
    features: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, name: str, first: Row, source: Source) -> _Table:
        number, cells = first
        header = [cell.strip() for cell in cells]
        if all(is_number(cell) for cell in header):
            raise DataError(f"{name}:{number}: no names of columns; put a header above the numbers")
        label = Wanted.label(source).find(header, True, f"{name}:{number}")
        key = usual_column(SERIES_NAMES, header)
        features = [place for place, title in enumerate(header) if title and place not in {label, key}]
        return cls(name, header, label, key if source.kind == "vectors" else None, features)

    def series(self, count: int, row: Row) -> str | int:
        """Return what the rows of one series have in common."""
        number, cells = row
        if len(cells) != len(self.header):
            what = f"{len(cells)} columns, expected {len(self.header)} ({', '.join(self.header)})"
            raise DataError(f"{self.name}:{number}: {what}; mend the row")
        return count if self.key is None else cells[self.key]

    def record(self, rows: list[Row], source: Source) -> Record:
        """Make one record of the rows of a series."""
        steps = [[self._number(number, cells, place) for place in self.features] for number, cells in rows]
        if source.kind == "vectors" and self.key is None:
            steps = [[value] for value in steps[0]]
        number, cells = rows[0]
        labels = () if self.label is None else source.split_labels(cells[self.label])
        if self.label is not None and (other := self._other_label(rows)) is not None:
            what = f"another label than line {number} of the same series"
            raise DataError(f"{self.name}:{other}: {what}; give one label a series")
        return Record("", labels, self.name, number, steps=steps)

    def _other_label(self, rows: list[Row]) -> int | None:
        first = rows[0][1][self.label or 0].strip()
        return next((number for number, cells in rows if cells[self.label or 0].strip() != first), None)

    def _number(self, line: int, cells: list[str], place: int) -> float:
        if not is_number(cells[place]):
            what = f"column {self.header[place]!r} holds {cells[place][:20]!r}, which is no finite number"
            raise DataError(f"{self.name}:{line}: {what}; mend the row")
        return float(cells[place])


def is_number(text: str) -> bool:
    """Whether the text is read as a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
