"""Long texts cut into pieces, so that a tokenizer holds little at a time however long a text is."""

from __future__ import annotations

import re
from collections.abc import Iterator

PIECE = 2**16  # characters
NEAR = 2**10  # characters before the end of a piece, among which a cut is looked for first

_word_end = re.compile(r"(?<=\S)[ \t\n\u3000]")
_blank = re.compile(r"[ \t\n\u3000]")
_ascii = re.compile(r"[\x21-\x7e]")


def pieces(text: str, whole_words: bool) -> Iterator[str]:
    """Yield a text in pieces of at most `PIECE` characters, which give the tokens that the text gives.

    A cut is right before the blank that follows a word. What runs on without a blank is cut anywhere, but
    with `whole_words` only the beginning of such a word is kept, in which no vocabulary finds it.
    """
    start = 0
    while len(text) - start > PIECE:
        stop = _cut(text, start, start + PIECE)
        yield text[start:stop]
        start = stop
        if whole_words and not _blank.match(text, stop) and not _blank.match(text, stop - 1):
            rest = _blank.search(text, stop)
            start = rest.start() if rest else len(text)
    yield text[start:]


def _cut(text: str, start: int, stop: int) -> int:
    """Return where the piece from `start` ends, at `stop` at the latest."""
    for first in (stop - NEAR, start + 1):
        if found := _word_end.search(text, first, stop):
            return found.start()
    # An ASCII character, unlike an accent, belongs to none before it in any normal form.
    found = _ascii.search(text, stop - NEAR, stop)
    return found.start() if found else stop
