"""Sentences a token a line, with a blank line after each: CoNLL's columns, and CoNLL-U."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING

from seqrnn.data.fields.tag_schemes import OUTSIDE, mark_of
from seqrnn.data.formats.answer_writer import AnswerableFormat, Asked
from seqrnn.data.formats.format import HEAD_ROWS, OpenLines
from seqrnn.data.formats.sentences import GLOBAL_COLUMNS, Columns, Role, TaggedLines, Token, split_sentences
from seqrnn.data.lines import Line, file_name
from seqrnn.data.record import Record
from seqrnn.data.text.tokens import split_tokens

if TYPE_CHECKING:
    from seqrnn.data.source import Source

DOCUMENT_START = "-DOCSTART-"
CONLLU_COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
WORD_ID = re.compile(r"[0-9]+")
OTHER_ID = re.compile(r"[0-9]+[-.][0-9]+")  # 1-2 is a contraction of words, 8.1 is not in the text
COMMENT = re.compile(r"#\s*(?:(?:begin|end) document\b|[\w.-]+\s*=\s|id\s+\S)")
"""What begins no word, though the line may have as many columns as one."""
NEARLY_ALL = 0.95
MOST_TAGS = 0.25  # different ones a token
FEW_TAGS = 20  # however few tokens there are
LONGEST_MEAN = 80  # tokens of a sentence, as far as guessing goes


class Conll(AnswerableFormat):
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
        sentences = split_sentences(_conll_tokens(open_lines(path)), self._columns(source))
        return (sentence.labelled(file_name(path)) for sentence in sentences)

    def asked(self, path: str, source: Source, open_lines: OpenLines) -> Asked:
        """Open the file, whose tokens need not have tags."""
        rest: list[Token] = []
        sentences = split_sentences(_conll_tokens(open_lines(path)), self._columns(source), rest)
        return Asked(
            (sentence.asked(file_name(path)) for sentence in sentences), partial(TaggedLines, rest=rest)
        )

    def _columns(self, source: Source) -> Columns:
        return Columns(source.text_column or "1", source.label_column)

    def columns_of(self, lines: Sequence[str]) -> Mapping[str, str]:
        """Choose the columns of word and tag where the first column counts the words, or holds the tags."""
        rows = _word_rows(lines)
        words = [row for row in rows if row]
        if all(len(row) == 2 for row in words) and _tell_spans([row[0] for row in words]):
            return {} if _tell_spans([row[1] for row in words]) else {"text_column": "2", "label_column": "1"}
        if not _counts(rows):
            return {}
        varied = [index for index in range(2, len(words[0])) if len({row[index] for row in words}) > 1]
        return {"text_column": "2", "label_column": str((varied or [len(words[0]) - 1])[-1] + 1)}


class ConllU(AnswerableFormat):
    """CoNLL-U: ten columns apart by TABs, comments, ranges such as `1-2` and empty nodes such as `8.1`."""

    extensions = (".conllu", ".conllup")
    is_unmistakable = True
    line_is_row = False
    is_cut_between_lines = True
    row_noun = "sentence"

    def matches(self, lines: Sequence[str]) -> bool:
        """Whether all lines are those of a CoNLL-U file."""
        return looks_like_conllu(lines)

    def records(self, path: str, source: Source, open_lines: OpenLines) -> Iterator[Record]:
        """Yield the sentences, FORM with UPOS unless the source names other columns.

        Comments, ranges and empty nodes are left out. The first line may name other columns, as that of
        CoNLL-U Plus does. Raises RowError at a line of another shape.
        """
        lines, names = _column_names(open_lines(path))
        sentences = split_sentences(_conllu_tokens(lines, names), self._columns(source, names))
        return (sentence.labelled(file_name(path)) for sentence in sentences)

    def asked(self, path: str, source: Source, open_lines: OpenLines) -> Asked:
        """Open the file, whose tags may be missing (`_`); with answers it is CoNLL-U Plus."""
        rest: list[Token] = []
        lines, names = _column_names(open_lines(path))
        sentences = split_sentences(_conllu_tokens(lines, names), self._columns(source, names), rest)
        return Asked(
            (sentence.asked(file_name(path)) for sentence in sentences),
            partial(TaggedLines, rest=rest, names=names),
        )

    def _columns(self, source: Source, names: Sequence[str]) -> Columns:
        return Columns(source.text_column or "FORM", source.label_column or "UPOS", names)


def split_columns(text: str) -> list[str]:
    """Cut a line at its TABs or, where it has none, at its blanks; a blank line has no columns."""
    text = text.rstrip(" \t")
    return text.split("\t") if "\t" in text else split_tokens(text)


def looks_like_conll(lines: Sequence[str]) -> bool:
    """Whether lines are in several blocks, each with the same number of columns.

    Blanks are in words only, if the tags are those of spans; a text whose lines have as many words each, as
    those of some poems, is none. Of columns apart by TABs, some lines may lack one.
    """
    rows = _word_rows(lines)
    words = [row for row in rows if row]
    blocks = sum(bool(row) and not before for before, row in pairwise([[], *rows]))
    if blocks <= max(1, len(words) / LONGEST_MEAN) or _has_a_word_a_block(rows):
        return False
    width, most = Counter(map(len, words)).most_common(1)[0]
    apart = sum("\t" in line for line in lines) >= NEARLY_ALL * len(words)
    if width == 1 or most < (NEARLY_ALL if apart else 1.0) * len(words):
        return False
    words = [row for row in words if len(row) == width]
    first, last = [row[0] for row in words], [row[-1] for row in words]
    if any(" " in cell for row in words for cell in row):
        return _tell_spans(last)
    tags = len(set(last))
    few = len(set(first)) >= tags <= max(FEW_TAGS, MOST_TAGS * len(last))  # words differ more than tags
    return few or _tell_spans(first) or any("\t" in line for line in lines)


def _has_a_word_a_block(rows: Sequence[list[str]]) -> bool:
    """Whether the first column stays the same in each block, as where a block has the forms of a word."""
    pairs = [(before[0], row[0]) for before, row in pairwise(rows) if before and row]
    return bool(pairs) and all(before == word for before, word in pairs)


def _tell_spans(cells: Sequence[str]) -> bool:
    """Whether nearly all cells are tags of spans, such as B-LOC, I-LOC and O."""
    marks = [mark for cell in cells if " " not in cell and (mark := mark_of(cell)) and not mark.lower]
    typed = [mark for mark in marks if mark.separator == "-" and mark.kind]
    outside = sum(mark.written == OUTSIDE for mark in marks)
    return bool(typed) and len(typed) + outside >= NEARLY_ALL * len(cells)


def holds_tagged_blocks(lines: Sequence[str]) -> bool:
    """Whether a table is one of tokens: its lines come in blocks, and the last column has few values."""
    tags = [row[-1] for row in _word_rows(lines) if row]
    return looks_like_conll(lines) and len(set(tags)) <= MOST_TAGS * len(tags)


def _word_rows(lines: Sequence[str]) -> list[list[str]]:
    """Return the columns of the lines that are no comments; a blank line has none."""
    numbered = (Line(number, text) for number, text in enumerate(lines, start=1))
    tokens = (token for token in _conll_tokens(numbered) if token.role not in {"comment", "document"})
    return [list(token.cells) for token in tokens]


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
    """Yield the lines with their columns; comments come before the words of a sentence.

    A comment begins with `#` and is no line of a word, which has as many columns as the first that does
    not begin so.
    """
    head = list(islice(lines, HEAD_ROWS))
    plain = (split_columns(line.text) for line in head if not line.text.startswith("#"))
    width = next((len(cells) for cells in plain if cells and not _starts_document(cells)), None)
    between = True  # sentences
    for line in chain(head, lines):
        if line.error is not None:
            yield Token(line, (), "word", line.error)
            continue
        cells = split_columns(line.text)
        if between and line.text.startswith("#") and _is_comment(line.text, cells, width):
            yield Token(line, (), "comment")
            continue
        role: Role = "blank" if not cells else "document" if _starts_document(cells) else "word"
        between = role != "word"
        yield Token(line, cells, role)


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


def _column_names(lines: Iterator[Line]) -> tuple[Iterator[Line], Sequence[str]]:
    """Return the lines, and the names of their columns, which the first line of CoNLL-U Plus gives."""
    first = list(islice(lines, 1))
    named = GLOBAL_COLUMNS.match(first[0].text) if first else None
    return chain(first, lines), CONLLU_COLUMNS if named is None else named[1].upper().split()


def _conllu_tokens(lines: Iterable[Line], names: Sequence[str]) -> Iterator[Token]:
    for line in lines:
        if line.error is not None:
            yield Token(line, (), "word", line.error)
        elif not line.text.strip():
            yield Token(line, (), "blank")
        elif line.text.startswith("#"):
            yield Token(line, (), "comment")
        else:
            cells = line.text.split("\t")
            is_word = OTHER_ID.fullmatch(cells[0]) is None
            yield Token(line, cells, *(("word", _fault(cells, names)) if is_word else ("comment", None)))


def _fault(cells: Sequence[str], names: Sequence[str]) -> str | None:
    """Say why some columns are no line of CoNLL-U, if they are none."""
    if len(cells) == len(names) and WORD_ID.fullmatch(cells[0]):
        return None
    found = f"{len(cells)} columns apart by TABs, the first {cells[0][:20]!r}"
    advice = "fix the line, or use `data.format=conll`"
    return f"no line of CoNLL-U: {found}, expected {len(names)} and a number; {advice}"
