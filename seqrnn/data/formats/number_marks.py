"""How the numbers of a table of text are written: the mark before fractions, and the one between thousands.

Programs write 1234.5, people also 1,234.5, and in many countries 1234,5 or 1.234,5. Most numbers can be
read in one way only, and show how the others of their column, and then of the file, are to be read. A single
group of three digits (1,018) shows nothing. Where nothing else does, it is not read but asked about, unless
it is what programs write (1.018) and no comma speaks against it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

Mark = Literal["auto", "point", "comma"]
Question = Literal["", "thousands", "labels"]

EXPONENT = r"(?:[eE][+-]?\d+)?"
PLAIN = {
    "point": re.compile(rf"[+-]?(?:\d+\.?\d*|\.\d+){EXPONENT}"),
    "comma": re.compile(rf"[+-]?\d+(?:,\d+)?{EXPONENT}"),
}
"""Numbers without marks between thousands, by the mark before fractions."""
GROUPED = {
    "point": re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?"),
    "comma": re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?"),
}
"""Numbers with marks between thousands."""
UNCLEAR = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")  # thousands or thousandths
SEVERAL_GROUPS = re.compile(r"[+-]?\d{1,3}(?:[.,]\d{3}){2,}")  # also what names a row, so no sign for others
UNGROUPED = re.compile(r"[+-]?\d{4,}(?:[.,]\d+)?")
LIST = re.compile(r"\d+(?:,\s*\d+){2,}")  # of labels
LABEL_PAIR = re.compile(r"(?:0|[1-9]\d?),\s*(?:0|[1-9]\d?)")  # which a decimal comma may look like
NEARLY_ALL = 0.9  # share of the cells that are numbers, where the others are slips


class Column(NamedTuple):
    """How a column is read: the mark before fractions, and whether groups of three digits are thousands.

    `example` is a cell with marks between thousands, or the one that an open `question` is about.
    """

    mark: Mark = "auto"  # of whole numbers in a file that shows no mark
    has_groups: bool = False
    question: Question = ""
    example: str = ""


class NumberMarks:
    """How the numbers in the columns of a table are written, told from its first `rows`.

    `columns` are the indices of those that may hold numbers, `features` of those that are known to; `told`
    is the mark before fractions where the rows do not show it. `may_be_labels` says that a comma within a
    cell may as well stand between two labels.
    """

    def __init__(
        self,
        rows: Sequence[Sequence[str]],
        columns: Collection[int],
        features: Collection[int] = (),
        told: Mark = "auto",
        may_be_labels: bool = False,
    ) -> None:
        self._rows = rows
        self._indices = columns
        self._features = features
        self._told = told
        self._may_be_labels = may_be_labels
        self._is_plain = told != "comma" and not any(map(_has_marks, rows))

    @property
    def found(self) -> dict[int, Column]:
        """Each column of numbers that is written in another way than programs do, or in an unclear one."""
        return {} if self._is_plain else self._columns

    @property
    def may_hold_numbers(self) -> bool:
        """Whether a column may hold numbers, as columns of words with commas do not."""
        return self._is_plain or bool(self._evidence)

    @cached_property
    def mark(self) -> Mark:
        """The mark before fractions that other files of the kind are likely to have."""
        if self._is_plain or self._told != "auto":
            return self._told
        has_thousands = any(column.has_groups and column.example for column in self._columns.values())
        return self._usual if has_thousands or self._usual == "comma" else "auto"

    def read(self, cells: list[str]) -> tuple[list[str], int | None]:
        """Return the cells of a row with numbers as programs write them, and the index of an unclear one."""
        if self._is_plain and "," not in "".join(cells):
            return cells, None
        read, unclear = cells, None
        for index, column in self._columns.items():
            cell = cells[index] if index < len(cells) else ""
            if "," in cell or "." in cell:
                number = _plain_number(cell, column)
                if number is None:
                    unclear = index
                elif number != cell:
                    read = list(cells) if read is cells else read
                    read[index] = number
        return read, unclear

    @cached_property
    def _evidence(self) -> dict[int, _Evidence]:
        """What the cells of each column of numbers show."""
        columns = {
            index: [cell for row in self._rows if index < len(row) and (cell := row[index].strip())]
            for index in self._indices
        }
        return {
            index: _Evidence(cells)
            for index, cells in columns.items()
            if index in self._features or _are_numbers(cells, self._may_be_labels)
        }

    @cached_property
    def _shown(self) -> set[Mark]:
        """The marks before fractions that columns show."""
        return {column.mark for column in self._evidence.values() if column.has_fractions} - {"auto"}

    @property
    def _usual(self) -> Mark:
        """The mark of columns that show none."""
        return next(iter(self._shown)) if len(self._shown) == 1 else self._told

    @cached_property
    def _columns(self) -> dict[int, Column]:
        commas = [index for index, column in self._evidence.items() if column.mark == "comma"]
        return {
            index: Column(question="labels", example=column.example)
            if self._may_be_labels and commas == [index] and self._may_hold_labels(index)
            else self._decided(column)
            for index, column in self._evidence.items()
        }

    def _may_hold_labels(self, index: int) -> bool:
        """Whether the commas of the only column that has such may stand between labels."""
        known = self._told != "auto" or index in self._features
        return not known and self._evidence[index].are_label_pairs

    def _decided(self, column: _Evidence) -> Column:
        mark = self._usual if column.mark == "auto" else column.mark
        if column.mark == "auto" and column.unclear and self._is_open(column, mark):
            mark = self._told
            if mark == "auto":
                return Column(question="thousands", example=column.unclear[0])
            return Column(mark, has_groups=True, example=column.grouped(mark))
        has_groups = not column.is_ungrouped and not column.seen - {mark}
        return Column(mark, has_groups, example=column.grouped(mark) if has_groups else "")

    def _is_open(self, column: _Evidence, mark: Mark) -> bool:
        """Whether nothing shows what a single group of three digits is."""
        commas = any("," in cell for cell in column.unclear)
        if len(self._shown) > 1 or (mark == "auto" and commas):
            return True
        return column.is_ungrouped and bool(column.grouped(mark))


class _Evidence:
    """What the cells of a column of numbers show of how they are written."""

    def __init__(self, cells: Sequence[str]) -> None:
        marked = [cell for cell in cells if "," in cell or "." in cell]
        shown = {cell: _mark(cell) for cell in set(marked)}
        counts = Counter(shown[cell] for cell in marked if shown[cell] != "auto")
        self._marked = marked
        self.seen: set[Mark] = set(counts)
        self.mark: Mark = counts.most_common(1)[0][0] if counts else "auto"
        self.has_fractions = any(
            mark == self.mark and not SEVERAL_GROUPS.fullmatch(cell) for cell, mark in shown.items()
        )
        self.unclear = [cell for cell in marked if UNCLEAR.fullmatch(cell)]
        self.is_ungrouped = any(map(UNGROUPED.fullmatch, cells))
        self.example = next(iter(marked), "")
        self.are_label_pairs = all(LABEL_PAIR.fullmatch(cell) for cell in marked if "," in cell)

    def grouped(self, mark: Mark) -> str:
        """Return the first cell that has marks between thousands where `mark` is before fractions."""
        return "" if mark == "auto" else next(filter(GROUPED[mark].fullmatch, self._marked), "")


def is_written_number(cell: str) -> bool:
    """Whether a cell is a number, whatever its marks mean."""
    return bool(_fitting(cell.strip()))


def two_readings(cell: str) -> str:
    """Say what a number with a single group of three digits may be."""
    digits = cell.strip().replace(",", ".")
    return f"{cell.strip()!r}, which may be {digits.replace('.', '')} or {digits}"


def _has_marks(row: Iterable[str]) -> bool:
    return any("," in cell or cell.count(".") > 1 for cell in row)


def _are_numbers(cells: Sequence[str], may_be_labels: bool) -> bool:
    """Whether cells are numbers, however they are written, but for slips or one mark of missing ones."""
    others = [cell for cell in cells if not _fitting(cell)]
    if may_be_labels and any(map(LIST.fullmatch, others)):
        return False
    numbers = len(cells) - len(others)
    is_mark = numbers > len(others) and len(set(others)) == 1
    return bool(numbers) and (is_mark or numbers >= NEARLY_ALL * len(cells))


def _fitting(cell: str) -> list[Mark]:
    """Return the marks before fractions with which a cell is a number."""
    marks: tuple[Mark, ...] = ("point", "comma")
    return [mark for mark in marks if PLAIN[mark].fullmatch(cell) or GROUPED[mark].fullmatch(cell)]


def _mark(cell: str) -> Mark:
    """Return the mark before fractions that a cell with marks shows, if there is only one reading."""
    fitting = _fitting(cell)
    return fitting[0] if len(fitting) == 1 else "auto"


def _plain_number(cell: str, column: Column) -> str | None:
    """Return a cell as programs write it if it is a number, None where two readings are left."""
    number = cell.strip()
    if column.mark == "comma" and "." not in number:
        return number.replace(",", ".") if PLAIN["comma"].fullmatch(number) else cell
    if column.question == "labels" or (column.mark == "point" and "," not in number):
        return cell
    is_unclear = UNCLEAR.fullmatch(number) is not None
    if column.mark == "auto":
        if column.question and is_unclear:
            return None
        return _without_commas(number) if _mark(number) == "comma" else cell
    if is_unclear and not column.has_groups:
        return None
    if GROUPED[column.mark].fullmatch(number) is None:
        return cell
    return number.replace(",", "") if column.mark == "point" else _without_commas(number)


def _without_commas(number: str) -> str:
    """Return a number with a decimal comma, and points between thousands, as programs write it."""
    return number.replace(".", "").replace(",", ".")
