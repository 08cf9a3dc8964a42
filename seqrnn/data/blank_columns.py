"""Lines of plain text that look like the rows of a table whose cells blanks separate, or like tagged words.

Such a file is read as text, since blanks separate words. That its first words may be labels, its words
numbers, or their ends tags, is for the user to say: a language model of them would learn without a complaint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from seqrnn.data.column_sample import ColumnSample
from seqrnn.data.formats.column_names import is_usual_name

MIN_LINES = 10  # of which fewer say nothing
MAX_LABELS = 50
MAX_TAGS = 100
RECURRING = 0.2  # different labels a line at most
NEARLY = 0.9  # of the lines
COMMENT = re.compile(r";;;|#")
LABEL = re.compile(r"[+-]?\d{1,2}|[A-Za-z]\w*:[A-Za-z]\w*")  # 0, +1, -1 or, as in TREC, HUM:ind
TAGGED = re.compile(r"\S+([/_|])([^\s/_|]+)")  # walks/VBZ, walks_VERB
HALVES = re.compile(r"\S+(?: \S+)* {2,}\S+(?: \S+)*\s*")


class BlankColumns(NamedTuple):
    """What the lines look like, what to do then, and the program of `awk` that does it."""

    evidence: str
    awk: str
    advice: str = "if these are columns, write TABs between them"


def is_foreign_table(lines: Sequence[str]) -> bool:
    """Whether the lines are those of an ARFF file or a .ts file of time series, which have a line @data."""
    return any(line.strip().lower() == "@data" for line in lines)


def holds_one_column(lines: Sequence[str]) -> bool:
    """Whether each line is a number, of which a model of characters would learn little."""
    filled = [line.strip() for line in lines if line.strip()]
    return len(filled) >= MIN_LINES and ColumnSample("", "", filled).is_numeric


def may_be_prose(lines: Sequence[str]) -> bool:
    """Whether the commas that seem to cut lines into two columns may be those of a text: `Wood, Mary`."""
    filled = [line for line in lines if line.strip()]
    named = bool(filled) and all(is_usual_name(name.strip()) for name in filled[0].split(","))
    return not named and all(line.count(",") == 1 and ", " in line and '"' not in line for line in filled)


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


def _tagged(rows: Sequence[str]) -> BlankColumns | None:
    """Look for a tag at the end of each word, as the Brown corpus and taggers have it."""
    words = [TAGGED.fullmatch(word) for row in rows for word in row.split()]
    found = [word for word in words if word is not None]
    marks, tags = {word[1] for word in found}, {word[2] for word in found}
    few = 2 <= len(tags) <= min(MAX_TAGS, RECURRING * len(found))
    if len(found) < len(words) or len(marks) > 1 or not few:
        return None
    mark = re.escape(marks.pop()).replace("/", r"\/")
    cut = f'n = match($i, /{mark}[^{mark}]*$/); print substr($i, 1, n - 1) "\\t" substr($i, n + 1)'
    shown = ", ".join(sorted(tags)[:4]) + (" ..." if len(tags) > 4 else "")
    evidence = f"one of {len(tags)} tags ({shown}) at the end of each word"
    advice = "if they are to be learnt, write a word and its tag in each line"
    return BlankColumns(evidence, f'{{for (i = 1; i <= NF; i++) {{{cut}}} print ""}}', advice)


LOOKS: tuple[Callable[[Sequence[str]], BlankColumns | None], ...] = (
    _numbers,
    _labels,
    _tagged,
    _halves,
)
