"""Lines of plain text that look like the rows of a table whose cells blanks separate.

Such a file is read as text, since blanks separate words. That its first words may be labels, or its words
numbers, is for the user to say: a language model of them would learn without a complaint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from seqrnn.data.column_sample import ColumnSample

MIN_LINES = 10  # of which fewer say nothing
MAX_LABELS = 50
RECURRING = 0.2  # different labels a line at most
NEARLY = 0.9  # of the lines
COMMENT = re.compile(r";;;|#")
LABEL = re.compile(r"[+-]?\d{1,2}|[A-Za-z]\w*:[A-Za-z]\w*")  # 0, +1, -1 or, as in TREC, HUM:ind
HALVES = re.compile(r"\S+(?: \S+)* {2,}\S+(?: \S+)*\s*")


class BlankColumns(NamedTuple):
    """What the lines look like, and the program of `awk` that puts TABs between the cells."""

    evidence: str
    awk: str


def is_foreign_table(lines: Sequence[str]) -> bool:
    """Whether the lines are those of an ARFF file or a .ts file of time series, which have a line @data."""
    return any(line.strip().lower() == "@data" for line in lines)


def holds_one_column(lines: Sequence[str]) -> bool:
    """Whether each line is a number, of which a model of characters would learn little."""
    filled = [line.strip() for line in lines if line.strip()]
    return len(filled) >= MIN_LINES and ColumnSample("", "", filled).is_numeric


def blank_columns(lines: Sequence[str]) -> BlankColumns | None:
    """Return as what else than text the first lines of a file can be read, or None."""
    rows = [line for line in lines if line.strip() and not COMMENT.match(line)]
    if len(rows) < MIN_LINES:
        return None
    found = (look(rows) for look in LOOKS)
    return next(filter(None, found), None)


def _numbers(rows: Sequence[str]) -> BlankColumns | None:
    cells = [row.split() for row in rows]
    counts = {len(row) for row in cells}
    if len(counts) > 1 or min(counts) < 2:
        return None
    *numbers, last = (ColumnSample("", "", column) for column in zip(*cells, strict=True))
    if not all(column.is_numeric for column in numbers) or not (last.is_numeric or last.is_label_like):
        return None
    what = f"{min(counts)} numbers" if last.is_numeric else f"{_counted(len(numbers))} and a word"
    return BlankColumns(f"{what} in each line", r'BEGIN {OFS = "\t"} {$1 = $1} 1')


def _counted(numbers: int) -> str:
    return "a number" if numbers == 1 else f"{numbers} numbers"


def _labels(rows: Sequence[str]) -> BlankColumns | None:
    pairs = [row.split(maxsplit=1) for row in rows]
    labels = sorted({pair[0] for pair in pairs})
    few = 2 <= len(labels) <= min(MAX_LABELS, RECURRING * len(rows))
    if not few or not all(len(pair) == 2 and LABEL.fullmatch(pair[0]) for pair in pairs):
        return None
    shown = ", ".join(labels[:4]) + (" ..." if len(labels) > 4 else "")
    evidence = f"one of {len(labels)} words ({shown}) at the beginning of each line"
    return BlankColumns(evidence, r'{sub(/ +/, "\t")} 1')


def _halves(rows: Sequence[str]) -> BlankColumns | None:
    if sum(bool(HALVES.fullmatch(row)) for row in rows) < NEARLY * len(rows):
        return None
    evidence = "two parts with two blanks between them in each line"
    return BlankColumns(evidence, r'!/^(;;;|#)/ {sub(/ [ ]+/, "\t"); print}')


LOOKS: tuple[Callable[[Sequence[str]], BlankColumns | None], ...] = (_numbers, _labels, _halves)
