"""Tables of one token a row: which columns hold sentence, token and tag, told from the first rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from seqrnn.data.column_sample import ColumnSample
from seqrnn.data.formats.column_names import LABEL_NAMES, normal_name, rank
from seqrnn.data.formats.numbers import is_number
from seqrnn.data.formats.token_rows import BLANK_ROWS

SENTENCE_NAME = re.compile(
    r"(?:.*_)?(?:sent|sents|sentence|sentences|satz|phrase|frase|oracion|zin|句)(?:_.*|#.*|\d*)?"
)
TOKEN_NAMES = frozenset({
    "word", "words", "token", "tokens", "form", "surface", "wort", "mot", "palabra", "parola", "palavra",
})  # fmt: skip
TAG_NAMES = frozenset(
    {"tag", "tags", "ner", "ner_tag", "ner_tags", "pos", "pos_tag", "upos", "xpos", "chunk", "bio"}
)
SHORTEST_MEAN = 2.0  # tokens of a sentence
MOSTLY = 0.98  # of the cells of a column of tokens hold one
LONGEST_MEAN = 80.0
FEWEST_BLOCKS = 3
MIN_ROWS = 6
PROSE = 4  # words, in the median, of a cell that holds a text and is no part of one


@dataclass(frozen=True)
class TokenColumns:
    """The keys of the columns, and how many signs there are that a row is a token, and not an example.

    `signs` from 2 on are enough, 1 leaves room for another reading.
    """

    sentence: str
    token: str
    tag: str
    signs: int


def token_columns(
    columns: Sequence[ColumnSample],
    sentence: str | None = None,
    token: str | None = None,
    tag: str | None = None,
    blank_rows: int = 0,
) -> TokenColumns | None:
    """Return the columns of a table of tokens, None where it is none; the keys of some may be settled.

    `blank_rows` is how many there are among the first rows, where sentences may end.
    """
    by_key = {column.key: column for column in columns}
    grouping = by_key.get(sentence) if sentence is not None else _sentence_column(columns)
    rows = len(columns[0].cells) if columns else 0
    in_blocks = grouping is None and sentence in {None, BLANK_ROWS} and blank_rows >= FEWEST_BLOCKS
    in_blocks = in_blocks and SHORTEST_MEAN * blank_rows <= rows <= LONGEST_MEAN * blank_rows
    in_blocks |= sentence == BLANK_ROWS
    if (grouping is None and not in_blocks) or (sentence is None and rows < MIN_ROWS):
        return None
    if sentence is None and any(column.words >= PROSE for column in columns):
        return None  # texts, of which several rows are about the same
    others = [column for column in columns if column is not grouping and column.filled]
    tokens = by_key[token] if token is not None else _token_column([c for c in others if c.key != tag])
    if tokens is None:
        return None
    tags = (
        by_key[tag] if tag is not None else _tag_column([column for column in others if column is not tokens])
    )
    if tags is None or (tag is None and tags.distinct >= tokens.distinct):
        return None
    signs = 1 if grouping is None else 2 * _has_gaps(grouping) + 2 * _is_named_sentence(grouping)
    signs += normal_name(tokens.title) in TOKEN_NAMES
    signs += normal_name(tags.title) in TAG_NAMES
    return TokenColumns(grouping.key if grouping else BLANK_ROWS, tokens.key, tags.key, signs)


def _sentence_column(columns: Sequence[ColumnSample]) -> ColumnSample | None:
    """Return the column whose values stay the same for some rows and then change: the finest of several."""
    found = [column for column in columns if _groups(column)]
    return max(found, key=lambda column: (_is_named_sentence(column), len(_runs(column))), default=None)


def _groups(column: ColumnSample) -> bool:
    cells, runs = _plain(column), _runs(column)
    if not cells or not cells[0] or len(runs) < 2 or len(cells) < SHORTEST_MEAN * len(runs):
        return False
    return _is_named_sentence(column) or len(set(runs)) == len(runs)


def _runs(column: ColumnSample) -> list[str]:
    """Return the value of each sentence; a blank cell has that of the row before."""
    filled: Iterable[str] = accumulate(_plain(column), _or_before)
    return [value for value, _ in groupby(filled)]


def _or_before(before: str, cell: str) -> str:
    return cell or before


def _plain(column: ColumnSample) -> list[str]:
    return ["" if cell is None else str(cell).strip() for cell in column.cells]


def _has_gaps(column: ColumnSample) -> bool:
    """Whether only the first row of each sentence names it."""
    return sum(map(bool, _plain(column))) == len(_runs(column))


def _is_named_sentence(column: ColumnSample) -> bool:
    return SENTENCE_NAME.fullmatch(normal_name(column.title)) is not None


def _token_column(columns: Sequence[ColumnSample]) -> ColumnSample | None:
    """Return the column of single words: the one that is named so, or that has the most different ones."""
    words = [column for column in columns if _holds_tokens(column)]
    named = [column for column in words if normal_name(column.title) in TOKEN_NAMES]
    words = named or [column for column in words if normal_name(column.title) not in TAG_NAMES]
    return max(words, key=lambda column: column.distinct, default=None)


def _holds_tokens(column: ColumnSample) -> bool:
    texts = column.texts
    single = sum(len(text.split()) == 1 for text in texts)
    numbers = sum(map(is_number, texts))
    complete = len(texts) >= MOSTLY * len(column.cells)
    return complete and single >= MOSTLY * len(texts) and numbers < len(texts) / 2


def _tag_column(columns: Sequence[ColumnSample]) -> ColumnSample | None:
    """Return the column of tags: the one that is named so, or the last one whose few values come again."""
    tags = [
        column
        for column in columns
        if len(column.texts) >= MOSTLY * len(column.cells) and column.is_label_like and not column.is_numeric
    ]
    named = [column for column in tags if rank(column.title, LABEL_NAMES) < len(LABEL_NAMES)]
    return min(named, key=lambda column: rank(column.title, LABEL_NAMES), default=tags[-1] if tags else None)
