"""What the first rows tell of a column: numbers, texts, labels, tokens, paths or names of rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median
from typing import Any, Literal

from seqrnn.data.fields.named_files import ARRAY_EXTENSION, IMAGE_EXTENSIONS
from seqrnn.data.formats.column_names import INDEX_NAMES, normal_name
from seqrnn.data.formats.numbers import is_number
from seqrnn.data.formats.times import moment_of
from seqrnn.data.text.scripts import word_count

ColumnKind = Literal["empty", "numbers", "lists", "number", "path", "identifier", "label", "text"]

MOSTLY = 0.8  # share of the cells, where the others may be slips
NEARLY_ALL = 0.9
MISSING_MARKS = 1  # different texts, such as NA, that may mark missing numbers however often
RECURRING = 0.25  # distinct values after the first a row, at most, in a column of labels
RECURRING_IN_FEW_ROWS = 0.5
MANY_ROWS = 40
FEW_ROWS = 10
MAX_CLASSES = 10  # that are whole numbers
MAX_LABEL_LENGTH = 60  # characters
MAX_LABEL_WORDS = 4
MAX_UNSPACED_LABEL_WORDS = 8  # that nothing separates, so that they can only be estimated
PLAIN_NUMBER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")
"""A number as programs write it: the digits of a postcode (00097) mean another thing without their zeros."""
IDENTIFIER = re.compile(r"(?=.*\d)[A-Za-z]*[-_.:#/]?(?:[0-9a-fA-F]+[-_.:]?)+")


@dataclass(frozen=True)
class ColumnSample:
    """The first cells of a column; `key` chooses it, `title` is its name in the file, if it has one."""

    key: str
    title: str
    cells: Sequence[Any]
    names_files: bool = False  # that are there, and may hold texts
    joined: Sequence[str] = ()  # the keys of the columns whose texts the cells join

    @cached_property
    def filled(self) -> list[Any]:
        """The cells that hold something; objects of JSON are no cells."""
        cells = [cell for cell in self.cells if cell is not None and not isinstance(cell, dict)]
        return [cell for cell in cells if not isinstance(cell, str) or cell.strip()]

    @cached_property
    def texts(self) -> list[str]:
        """The filled cells as texts."""
        return [cell.strip() if isinstance(cell, str) else str(cell) for cell in self.filled]

    @cached_property
    def distinct(self) -> int:
        """How many different values there are."""
        return len(set(self.texts))

    @cached_property
    def words(self) -> float:
        """The median number of words, which some scripts do not separate."""
        return median([word_count(text) for text in self.texts] or [0])

    @cached_property
    def characters(self) -> float:
        """The median number of characters."""
        return median([len(text) for text in self.texts] or [0])

    @cached_property
    def kind(self) -> ColumnKind:
        """What the cells hold."""
        if not self.filled:
            return "empty"
        if isinstance(self.filled[0], list):
            return "lists" if isinstance((self.filled[0] or [""])[0], str) else "numbers"
        if self.names_files or self._mostly(
            lambda text: text.lower().endswith((*IMAGE_EXTENSIONS, ARRAY_EXTENSION))
        ):
            return "path"
        if self.is_identifier:
            return "identifier"
        if self.is_numeric:
            return "number"
        return "label" if self.is_label_like else "text"

    @cached_property
    def is_numeric(self) -> bool:
        """Whether the cells are numbers but for slips; one that is not plain tells of texts."""
        numbers = [text for text in self.texts if is_number(text)]
        others = [text for text in self.texts if not is_number(text)]
        missing = len(numbers) >= len(others) and len(set(others)) <= MISSING_MARKS
        few_slips = missing or len(numbers) >= NEARLY_ALL * len(self.texts)
        return few_slips and bool(numbers) and all(map(PLAIN_NUMBER.fullmatch, numbers))

    @cached_property
    def is_half_numeric(self) -> bool:
        """Whether at least half of the cells are numbers, so that the others are slips, if many."""
        return 2 * sum(map(is_number, self.texts)) >= len(self.texts)

    @property
    def is_constant(self) -> bool:
        """Whether all of many cells are the same, so that nothing can be learned of them."""
        return self.distinct == 1 and len(self.texts) >= FEW_ROWS

    @cached_property
    def holds_few_integers(self) -> bool:
        """Whether a few whole numbers come again and again, as those of classes do."""
        recurs = self.distinct <= MAX_CLASSES and self.distinct <= RECURRING * len(self.texts)
        return self.kind == "number" and recurs and self.is_integer and not self.is_constant

    @cached_property
    def holds_indicators(self) -> bool:
        """Whether the cells are 0 and 1, and both are there."""
        return self.is_numeric and set(self.texts) == {"0", "1"}

    @cached_property
    def holds_dates(self) -> bool:
        """Whether the cells are dates or times of a day."""
        return (
            not self.is_numeric
            and bool(self.texts)
            and self._mostly(lambda text: moment_of(text) is not None)
        )

    @cached_property
    def is_integer(self) -> bool:
        """Whether all numbers of the column are whole."""
        return all(float(text).is_integer() for text in self.texts if is_number(text))

    @cached_property
    def is_label_like(self) -> bool:
        """Whether the values are short and come again and again."""
        short = all(
            len(text) <= MAX_LABEL_LENGTH
            and len(text.split()) <= MAX_LABEL_WORDS
            and word_count(text) <= MAX_UNSPACED_LABEL_WORDS
            for text in self.texts
        )
        most = RECURRING if len(self.texts) >= MANY_ROWS else RECURRING_IN_FEW_ROWS
        return short and self.distinct - 1 <= most * (len(self.texts) - 1)

    @cached_property
    def is_identifier(self) -> bool:
        """Whether the cells name the rows: all different, and of the form or the name of an identifier."""
        if self.distinct < len(self.texts) or len(self.texts) < 2:
            return False
        named = self.is_named_identifier
        if self.is_numeric:
            return self.is_integer and (named or (not self.title and self.counts_up))
        if any(len(text.split()) > 1 for text in self.texts):
            return False
        return named or self._mostly(lambda text: IDENTIFIER.fullmatch(text) is not None)

    @property
    def is_named_identifier(self) -> bool:
        """Whether the column has the name of one that names or numbers the rows."""
        title = normal_name(self.title)
        return bool(title) and (title in INDEX_NAMES or title.endswith("_id"))

    @cached_property
    def counts_up(self) -> bool:
        """Whether the cells are whole numbers, each one more than the one before."""
        numbers = [float(text) for text in self.texts if is_number(text)]
        return len(numbers) > 2 and all(later - earlier == 1 for earlier, later in pairwise(numbers))

    @property
    def numbers_rows(self) -> bool:
        """Whether the cells of many rows are their numbers, from 0 or 1 on."""
        return (
            self.is_numeric and self.counts_up and self.texts[0] in {"0", "1"} and len(self.texts) >= FEW_ROWS
        )

    def _mostly(self, holds: Callable[[str], bool]) -> bool:
        return sum(map(holds, self.texts)) >= MOSTLY * len(self.texts)
