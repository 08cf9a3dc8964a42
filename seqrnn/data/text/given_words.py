"""Whether the words of texts are given, apart by blanks, or stick to their punctuation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from seqrnn.data.fields.field import Use

MOST_GLUED = 0.2  # share of the marks that stick to words in a text whose words are given
SYMBOL_LENGTH = 2  # characters of most tokens that are symbols, such as phonemes

# Full stops and commas, of which every prose has some, and other marks, which French sets apart.
_stops = ".,\u060c\u06d4\u0964\u3001\u3002\uff0c"
_others = '!?;:()"\u061f\u061b\u00ab\u00bb\u201c\u201d'


def words_given(texts: Sequence[str], use: Use) -> tuple[str, str]:
    """Tell from the punctuation whether words are given, apart by blanks.

    Where there is none, single symbols are tokens that are given; so is what is written, whose spaces
    come back either way.
    """
    chunks = Counter(chain.from_iterable(map(str.split, texts)))
    for marks in (_stops, _others):
        apart, glued = _marks(chunks, marks)
        if apart + glued:
            given = glued <= MOST_GLUED * (apart + glued)
            return "yes" if given else "no", f"{apart:,} of {apart + glued:,} marks are apart"
    if use == "written":
        return "yes", ""
    symbols = sum(count for chunk, count in chunks.items() if len(chunk) <= SYMBOL_LENGTH)
    return ("yes" if symbols > chunks.total() / 2 else "no"), ""


def _marks(chunks: Counter[str], marks: str) -> tuple[int, int]:
    """Count the marks that are tokens of their own, and those at the end of a word, but for abbreviations."""
    apart = glued = 0
    for chunk, count in chunks.items():
        if chunk[-1] not in marks and chunk[0] not in marks:
            continue
        word = chunk.strip(marks)
        if not word:
            apart += count
        elif not _abbreviated(word):
            glued += count
    return apart, glued


def _abbreviated(word: str) -> bool:
    """Whether a word may end with a full stop by itself, as Mr. and e.g. do."""
    return (len(word) <= 2 and word.isascii()) or any(stop in word for stop in _stops)
