"""Sentences a token a line, with a blank line after each: CoNLL's columns, and CoNLL-U."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING

from seqrnn.data.formats.column_names import column_number
from seqrnn.data.formats.format import HEAD_ROWS, Format, OpenLines, RowError
from seqrnn.data.lines import Line, file_name
from seqrnn.data.record import Record
from seqrnn.data.text.tokens import join_tokens, split_tokens
from seqrnn.errors import UsageError

if TYPE_CHECKING:
    from seqrnn.data.source import Source

DOCUMENT_START = "-DOCSTART-"
CONLLU_COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
WORD_ID = re.compile(r"[0-9]+")
OTHER_ID = re.compile(r"[0-9]+[-.][0-9]+")  # 1-2 is a contraction of words, 8.1 is not in the text
COMMENT = re.compile(r"#\s*(?:(?:begin|end) document\b|[\w.-]+\s*=\s|id\s+\S)")
"""What begins no word, though the line may have as many columns as one."""
MOST_TAGS = 0.25  # different ones a token
LONGEST_MEAN = 80  # tokens of a sentence, as far as guessing goes

Token = tuple[int, list[str]]  # the number of its line, its columns


class Conll(Format):
    """A token a line, in columns apart by TABs or else blanks; a blank line ends a sentence."""

    extensions = (".conll", ".bio", ".iob")
    line_is_row = False
    is_cut_between_lines = True
    row_noun = "sentence"

    def matches(self, lines: Sequence[str]) -> bool:
        """Whether lines come in several blocks, each with the same number of columns, and no blank in one."""
        return looks_like_conll(lines)

    def records(self, path: str, source: Source, open_lines: OpenLines) -> Iterator[Record]:
        """Yield the sentences.

        The word is in the first column and the tag in the last one, unless the source names others by
        number; comments and -DOCSTART- lines are left out. Raises RowError at a line with more or fewer
        columns than the first.
        """
        columns = _Columns(source.text_column or "1", source.label_column)
        return _sentences(file_name(path), _conll_tokens(open_lines(path)), columns)

    def columns_of(self, lines: Sequence[str]) -> Mapping[str, str]:
        """Choose the columns of word and tag where the first column counts the words of a sentence."""
        rows = _word_rows(lines)
        if not _counts(rows):
            return {}
        words = [row for row in rows if row]
        varied = [index for index in range(2, len(words[0])) if len({row[index] for row in words}) > 1]
        return {"text_column": "2", "label_column": str((varied or [len(words[0]) - 1])[-1] + 1)}


class ConllU(Format):
    """CoNLL-U: ten columns apart by TABs, comments, ranges such as `1-2` and empty nodes such as `8.1`."""

    extensions = (".conllu",)
    line_is_row = False
    is_cut_between_lines = True
    row_noun = "sentence"

    def matches(self, lines: Sequence[str]) -> bool:
        """Whether all lines are those of a CoNLL-U file."""
        return looks_like_conllu(lines)

    def records(self, path: str, source: Source, open_lines: OpenLines) -> Iterator[Record]:
        """Yield the sentences, FORM with UPOS unless the source names other columns.

        Comments, ranges and empty nodes are left out. Raises RowError at a line of another shape.
        """
        columns = _Columns(source.text_column or "FORM", source.label_column or "UPOS", CONLLU_COLUMNS)
        return _sentences(file_name(path), _conllu_tokens(open_lines(path)), columns)


def split_columns(text: str) -> list[str]:
    """Cut a line at its TABs or, where it has none, at its blanks; a blank line has no columns."""
    text = text.rstrip(" \t")
    return text.split("\t") if "\t" in text else split_tokens(text)


def looks_like_conll(lines: Sequence[str]) -> bool:
    """Whether lines stand in several blocks, each with the same number of columns, and no blank in one."""
    rows = _word_rows(lines)
    widths = {len(row) for row in rows if row}
    blocks = sum(bool(row) and not before for before, row in pairwise([[], *rows]))
    if blocks <= max(1, sum(map(bool, rows)) / LONGEST_MEAN) or len(widths) != 1 or widths == {1}:
        return False
    return not any(" " in cell for row in rows for cell in row)


def holds_tagged_blocks(lines: Sequence[str]) -> bool:
    """Whether a table is one of tokens: its lines come in blocks, and the last column has few values."""
    tags = [row[-1] for row in _word_rows(lines) if row]
    return looks_like_conll(lines) and len(set(tags)) <= MOST_TAGS * len(tags)


def _word_rows(lines: Sequence[str]) -> list[list[str]]:
    """Return the columns of the lines that are no comments; a blank line has none."""
    numbered = (Line(number, text) for number, text in enumerate(lines, start=1))
    return [cells for _, cells in _conll_tokens(numbered) if not _starts_document(cells)]


def _counts(rows: Sequence[list[str]]) -> bool:
    """Whether the first of three or more columns numbers the words of each sentence."""
    number, longest = 0, 0
    for row in rows:
        number = number + 1 if row else 0
        longest = max(longest, number)
        if row and (len(row) < 3 or len(row) != len(rows[0] or row) or row[0] != str(number)):
            return False
    return longest > 1


def _conll_tokens(lines: Iterator[Line]) -> Iterator[Token]:
    """Yield the columns of each line but of comments, which come before the words of a sentence.

    A comment begins with `#` and is no line of a word, which has as many columns as the first that does
    not begin so.
    """
    head = list(islice(lines, HEAD_ROWS))
    plain = (split_columns(line.text) for line in head if not line.text.startswith("#"))
    width = next((len(cells) for cells in plain if cells and not _starts_document(cells)), None)
    between = True  # sentences
    for line in chain(head, lines):
        cells = split_columns(line.text)
        if between and line.text.startswith("#") and _is_comment(line.text, cells, width):
            continue
        between = not cells or _starts_document(cells)
        yield line.number, cells


def _is_comment(text: str, cells: Sequence[str], width: int | None) -> bool:
    no_tag = " " in cells[-1]
    return no_tag or (width is not None and len(cells) != width) or COMMENT.match(text) is not None


def _starts_document(cells: Sequence[str]) -> bool:
    return bool(cells) and cells[0].startswith(DOCUMENT_START)


def looks_like_conllu(lines: Sequence[str]) -> bool:
    """Whether all lines are those of a CoNLL-U file."""
    rows = [line.split("\t") for line in lines if line.strip() and not line.startswith("#")]
    return bool(rows) and all(
        len(row) == len(CONLLU_COLUMNS) and (WORD_ID.fullmatch(row[0]) or OTHER_ID.fullmatch(row[0]))
        for row in rows
    )


def _conllu_tokens(lines: Iterable[Line]) -> Iterator[Token]:
    for line in lines:
        cells = [] if not line.text.strip() else line.text.split("\t")
        if cells and line.text.startswith("#"):
            continue
        if cells and OTHER_ID.fullmatch(cells[0]):
            continue
        if cells and (len(cells) != len(CONLLU_COLUMNS) or not WORD_ID.fullmatch(cells[0])):
            found = f"{len(cells)} columns apart by TABs, the first {cells[0][:20]!r}"
            advice = "fix the line, or use --format conll"
            raise RowError(line.number, f"no line of CoNLL-U: {found}, expected 10 and a number; {advice}")
        yield line.number, cells


@dataclass(frozen=True)
class _Columns:
    """Which columns hold word and tag, by number from 1 or by one of `names`; no tag is the last one."""

    word: str
    tag: str | None
    names: tuple[str, ...] = ()

    def indices(self, count: int, line: int) -> tuple[int, int]:
        """Return the indices of both in a row of `count` columns."""
        if count < 2:
            raise RowError(line, "1 column, expected 2 or more (token ... tag); fix the line")
        tag = count - 1 if self.tag is None else self._index(self.tag, "--label-col", count, line)
        return self._index(self.word, "--text-col", count, line), tag

    def _index(self, column: str, flag: str, count: int, line: int) -> int:
        if column.upper() in self.names:
            return self.names.index(column.upper())
        if not column.isdecimal():
            known = f"one of {', '.join(self.names)}" if self.names else "its number, from 1"
            raise UsageError(f"{flag} {column}: the columns of this format have no such name; give {known}")
        number = column_number(column)
        if not 1 <= number <= count:
            raise RowError(line, f"no column {number}, there are {count}; use {flag} with one of them")
        return number - 1


def _sentences(name: str, tokens: Iterable[Token], columns: _Columns) -> Iterator[Record]:
    """Put tokens together to sentences; a token without columns ends one."""
    width: int | None = None
    words: list[str] = []
    tags: list[str] = []
    numbers: list[int] = []
    for number, cells in tokens:
        if not cells or _starts_document(cells):
            if words:
                yield Record(join_tokens(words), tuple(tags), name, numbers[0], lines=numbers)
                words, tags, numbers = [], [], []
            continue
        if width is None:
            width = len(cells)
            word, tag = columns.indices(width, number)
        if len(cells) != width:
            columns_found = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
            raise RowError(number, f"{columns_found}, expected {width} as in the first row; fix the line")
        if not cells[word].strip():
            raise RowError(number, f"no word in column {word + 1}; fix the line, or use --text-col")
        words.append(cells[word])
        tags.append(cells[tag].strip())
        numbers.append(number)
    if words:
        yield Record(join_tokens(words), tuple(tags), name, numbers[0], lines=numbers)
