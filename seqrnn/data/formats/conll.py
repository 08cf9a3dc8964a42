"""Sentences a token a line, with a blank line behind each: CoNLL's columns, and CoNLL-U."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from seqrnn.data.formats import column_number
from seqrnn.data.lines import Line
from seqrnn.data.record import Record
from seqrnn.data.text.tokens import join_tokens, split_tokens
from seqrnn.errors import DataError, UsageError

if TYPE_CHECKING:
    from seqrnn.data.source import Source

DOCUMENT_START = "-DOCSTART-"
CONLLU_COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
WORD_ID = re.compile(r"[0-9]+")
OTHER_ID = re.compile(r"[0-9]+[-.][0-9]+")  # 1-2 is a contraction of words, 8.1 is not in the text
LONGEST_MEAN = 80  # tokens of a sentence, as far as guessing goes

Token = tuple[int, list[str]]  # the number of its line, its columns


def read_conll(name: str, lines: Iterable[Line], source: Source) -> Iterator[Record]:
    """Yield the sentences of a file whose columns stand apart by TABs or, in a line without one, blanks.

    The word is in the first column and the tag in the last one, unless the source names others by
    number; -DOCSTART- lines are left out. Raises DataError at a line with more or fewer columns
    than the first.
    """
    tokens = ((line.number, split_columns(line.text)) for line in lines)
    columns = (source.text_column or "1", source.label_column)
    yield from _sentences(name, tokens, _Columns(*columns))


def read_conllu(name: str, lines: Iterable[Line], source: Source) -> Iterator[Record]:
    """Yield the sentences of a CoNLL-U file, FORM with UPOS unless the source names other columns.

    Comments, ranges such as `1-2` and empty nodes such as `8.1` are left out. Raises DataError at
    a line of another shape.
    """
    columns = _Columns(source.text_column or "FORM", source.label_column or "UPOS", CONLLU_COLUMNS)
    yield from _sentences(name, _conllu_tokens(name, lines), columns)


def split_columns(text: str) -> list[str]:
    """Cut a line at its TABs or, where it has none, at its blanks; a blank line has no columns."""
    text = text.rstrip(" \t")
    return text.split("\t") if "\t" in text else split_tokens(text)


def looks_like_conll(lines: Sequence[str]) -> bool:
    """Whether lines stand in several blocks, each with the same number of columns, and no blank in one."""
    rows = [split_columns(line) for line in lines]
    widths = {len(row) for row in rows if row}
    blocks = sum(bool(row) and not before for before, row in pairwise([[], *rows]))
    if blocks <= max(1, sum(map(bool, rows)) / LONGEST_MEAN) or len(widths) != 1 or widths == {1}:
        return False
    return not any(" " in cell for row in rows for cell in row)


def looks_like_conllu(lines: Sequence[str]) -> bool:
    """Whether all lines are those of a CoNLL-U file."""
    rows = [line.split("\t") for line in lines if line.strip() and not line.startswith("#")]
    return bool(rows) and all(
        len(row) == len(CONLLU_COLUMNS) and (WORD_ID.fullmatch(row[0]) or OTHER_ID.fullmatch(row[0]))
        for row in rows
    )


def _conllu_tokens(name: str, lines: Iterable[Line]) -> Iterator[Token]:
    for line in lines:
        cells = [] if not line.text.strip() else line.text.split("\t")
        if cells and line.text.startswith("#"):
            continue
        if cells and OTHER_ID.fullmatch(cells[0]):
            continue
        if cells and (len(cells) != len(CONLLU_COLUMNS) or not WORD_ID.fullmatch(cells[0])):
            raise DataError(
                f"{name}:{line.number}: no line of CoNLL-U: {len(cells)} columns apart by TABs, the first "
                f"{cells[0][:20]!r}, expected 10 and a number; mend the line, or use --format conll"
            )
        yield line.number, cells


@dataclass(frozen=True)
class _Columns:
    """Which columns hold word and tag, by number from 1 or by one of `names`; no tag is the last one."""

    word: str
    tag: str | None
    names: tuple[str, ...] = ()

    def places(self, count: int, place: str) -> tuple[int, int]:
        """Return the indices of both in a row of `count` columns."""
        if count < 2:
            raise DataError(f"{place}: 1 column, expected 2 or more (token ... tag); mend the line")
        tag = count - 1 if self.tag is None else self._place(self.tag, "--label-col", count, place)
        return self._place(self.word, "--text-col", count, place), tag

    def _place(self, column: str, flag: str, count: int, place: str) -> int:
        if column.upper() in self.names:
            return self.names.index(column.upper())
        if not column.isdecimal():
            known = f"one of {', '.join(self.names)}" if self.names else "its number, from 1"
            raise UsageError(f"{flag} {column}: the columns of this format have no such name; give {known}")
        number = column_number(column)
        if not 1 <= number <= count:
            raise DataError(f"{place}: no column {number}, there are {count}; use {flag} with one of them")
        return number - 1


def _sentences(name: str, tokens: Iterable[Token], columns: _Columns) -> Iterator[Record]:
    """Put tokens together to sentences; a token without columns ends one."""
    width: int | None = None
    words: list[str] = []
    tags: list[str] = []
    start = 0
    for number, cells in tokens:
        place = f"{name}:{number}"
        if not cells or cells[0].startswith(DOCUMENT_START):
            if words:
                yield Record(join_tokens(words), tuple(tags), name, start)
                words, tags = [], []
            continue
        if width is None:
            width = len(cells)
            word, tag = columns.places(width, place)
        if len(cells) != width:
            columns_found = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
            raise DataError(f"{place}: {columns_found}, expected {width} as in the first row; mend the line")
        start = start if words else number
        if not cells[word].strip():
            raise DataError(f"{place}: no word in column {word + 1}; mend the line, or use --text-col")
        words.append(cells[word])
        tags.append(cells[tag].strip())
    if words:
        yield Record(join_tokens(words), tuple(tags), name, start)
