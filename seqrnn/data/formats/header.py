"""Whether the first row of a table names the columns: evidence from names, types and cardinality."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain, pairwise
from statistics import median

from seqrnn.data.formats.column_names import LANGUAGE_CODES, is_usual_name
from seqrnn.data.formats.number_marks import is_written_number
from seqrnn.data.formats.numbers import is_number
from seqrnn.data.text.scripts import without_marks, word_count

NAME = re.compile(r"[^\W\d][\w .,:#%()/\-]*\??")  # begins with a letter, in any script
MAX_NAME_LENGTH = 40  # characters
MAX_NAME_WORDS = 4
MAX_LONG_NAME = 100
MAX_MARKED = 2 * MAX_NAME_LENGTH  # the same, with a mark for each letter
THRESHOLD = 1.0  # evidence that a header needs
MIN_NUMBERED = 4  # columns, from which on names that count up are no chance
MIN_STEPS = 3  # that go up, which two numbers do by chance
MIN_NAMES = 2  # over columns of numbers, beside which a number is a name, too
MISSING = {"", "-", "?", "na", "n/a", "nan", "nil", "none", "null", "missing", "unknown"}
MAX_NUMBER = 6  # digits
MARKS = "#%$€£ "  # at the beginning of names of numbers: #Passengers
MOSTLY = 0.8  # share of a column's cells that have one shape
RECURRING = 3  # rows a value, from which on a value that is seen only in the first row is odd
PROSE = 4  # words, in the median, of a column of texts
UNSPACED_PROSE = 8  # the same, where they can only be estimated

_numbers = re.compile(r"\d+(?:\.\d+)?")
_digits = re.compile(r"\d+")
_letters = re.compile(r"[^\W\d_]+")


def has_header(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the cells of the `first` row name the columns of the `rows` after it."""
    cells = [without_marks(cell.strip()) for cell in first]
    cells[:1] = [cells[0].lstrip("# ")] if cells else []  # as a comment may begin
    if _count_up(cells) and rows and not _count_up([cell.strip() for cell in rows[0]]):
        return True

    @cache
    def column(index: int) -> list[str]:
        return [_value(row[index]) for row in rows if index < len(row)]

    cells = [
        cell.lstrip(MARKS) if cell.startswith(tuple(MARKS)) and _are_numbers(column(index)) else cell
        for index, cell in enumerate(cells)
    ]
    if _are_steps_beside_name(cells, column):
        return True
    numbers = [index for index, cell in enumerate(cells) if is_number(cell)]
    words = [cell for index, cell in enumerate(cells) if index not in numbers]
    if not any(words) or not all(
        _may_be_name(cell) or _is_long_name(cell, column(index))
        for index, cell in enumerate(cells)
        if index not in numbers
    ):
        return False
    if numbers:  # names may be years, among others over columns of numbers
        above = {cell for index, cell in enumerate(cells) if cell in words and _are_numbers(column(index))}
        return (
            len(above) >= MIN_NAMES
            and MISSING.isdisjoint(map(str.lower, above))
            and all(_are_numbers(column(index)) for index in numbers)
        )
    known = [is_usual_name(cell) or _is_code(cell, column(index)) for index, cell in enumerate(cells)]
    if all(known) or (known.count(True) > 1 and len(cells) > 2):
        return True
    evidence = sum(_evidence(cell, column(index)) for index, cell in enumerate(cells))
    return evidence + 0.75 * known.count(True) >= THRESHOLD


def _is_long_name(name: str, column: Sequence[str]) -> bool:
    """Whether words over numbers say at length what is measured."""
    return len(name) <= MAX_LONG_NAME and _are_numbers(column) and NAME.fullmatch(name) is not None


def _is_code(name: str, column: Sequence[str]) -> bool:
    """Whether a name is the code of a language over texts, which are longer."""
    longer = [value for value in column if len(value) > len(name) + 1]
    return name.lower() in LANGUAGE_CODES and len(longer) >= MOSTLY * len(column)


def _are_steps_beside_name(cells: Sequence[str], column: Callable[[int], Sequence[str]]) -> bool:
    """Whether a usual name stands beside steps, such as years or days, that name columns of numbers.

    `column` returns the values below one of the cells. A value may be a usual name by chance: then it would
    come again below it, and the numbers beside it would not go up.
    """
    steps = [index for index, cell in enumerate(cells) if _starts_with_digit(cell)]
    names = [index for index in range(len(cells)) if index not in steps]
    usual = [index for index in names if is_usual_name(cells[index])]
    if not steps or not usual or not all(_may_be_name(cells[index]) for index in names):
        return False
    if any(cells[index] in column(index) for index in names):
        return False
    classes = any(_recur(column(index)) for index in usual)
    return _go_up([cells[index] for index in steps], classes) and all(
        _are_numbers(column(index)) for index in steps
    )


def _go_up(steps: Sequence[str], beside_classes: bool) -> bool:
    """Whether texts with numbers in them are steps: evenly, unless the name beside them is one of classes."""
    numbers = [[float(number) for number in _numbers.findall(step)] for step in steps]
    if len(steps) < MIN_STEPS:
        return list(steps) == [str(number) for number in range(len(steps))]
    alike = len({_numbers.sub("9", step) for step in steps}) == 1
    goes_up = alike and all(later > earlier for earlier, later in pairwise(numbers))
    return goes_up and (beside_classes or _are_even(numbers))


def _starts_with_digit(cell: str) -> bool:
    return cell.lstrip("+-")[:1].isdecimal()


def _are_even(numbers: Sequence[Sequence[float]]) -> bool:
    """Whether each is as much more than the one before it, as only names are."""
    distances = [[b - a for a, b in zip(earlier, later, strict=True)] for earlier, later in pairwise(numbers)]
    return all(map(math.isclose, chain(*distances), chain(*distances[:1] * len(distances))))


def _recur(column: Sequence[str]) -> bool:
    """Whether values are those of classes, or numbers, among which a name is odd."""
    values = [value for value in column if value]
    return bool(values) and (len(values) >= RECURRING * len(set(values)) or _are_numbers(values))


def _are_numbers(column: Sequence[str]) -> bool:
    values = [value for value in column if value]
    return bool(values) and sum(map(is_written_number, values)) >= MOSTLY * len(values)


def _value(cell: str) -> str:
    """Return a cell as names are compared with it; of a long one, which has no shape in common, as it is."""
    cell = cell.strip()
    return without_marks(cell) if len(cell) <= MAX_MARKED else cell


def _count_up(cells: Sequence[str]) -> bool:
    """Whether most cells number the columns, as those of arrays and years do, and the others may be names."""
    numbers = [int(cell) for cell in cells if cell.isdecimal() and len(cell) <= MAX_NUMBER]
    others = [cell for cell in cells if not cell.isdecimal()]
    enough = len(numbers) >= MIN_NUMBERED and len(numbers) >= MOSTLY * len(cells)
    return (
        enough
        and all(later - earlier == 1 for earlier, later in pairwise(numbers))
        and not any(map(is_number, others))
        and all(map(_may_be_name, others))
    )


def _may_be_name(cell: str) -> bool:
    if not cell:
        return True  # an index has none
    short = len(cell) <= MAX_NAME_LENGTH and len(cell.split()) <= MAX_NAME_WORDS
    return short and NAME.fullmatch(cell) is not None


def _evidence(name: str, column: Sequence[str]) -> float:
    """Return how much speaks for `name` being the name of a column, below 0 for a value of it."""
    values = [value for value in column if value]
    if not values:
        return 0.0
    shape, count = Counter(map(_shape, values)).most_common(1)[0]
    if name and "9" in shape and count >= MOSTLY * len(values):
        return -2.0 if _shape(name) == shape else 2.0
    if _are_numbers(values):
        return 2.0
    if name in values:
        return -2.0
    if len(values) >= RECURRING * len(set(values)):
        return 1.0 if len(values) > 2 * RECURRING else 0.5
    return _evidence_of_length(name, values)


def _evidence_of_length(name: str, values: Sequence[str]) -> float:
    words, spaced = median(map(word_count, values)), median(len(value.split()) for value in values)
    if words < (PROSE if spaced >= PROSE else UNSPACED_PROSE):
        return 0.0
    return 1.0 if word_count(name) <= words / 3 else -2.0


def _shape(text: str) -> str:
    """Return the text with each run of digits as one 9 and each run of letters as one a."""
    return _letters.sub("a", _digits.sub("9", text))
