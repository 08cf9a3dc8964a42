r"""Many texts to words at once: `\n`, and what is between other white space.

White space is Unicode's, as the `tokenizers` library knows it. Python's `str.split` takes four control
characters besides; a batch that holds one of them, or a mark that is put into it here, is cut by a
regular expression, which is slower.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.text.words import chunks_of

END, NEWLINE = "\x00", "\x01"  # mark the end of a text, and stand for a newline, in a batch without them
NO_SPACE = ("\x1c", "\x1d", "\x1e", "\x1f")  # which `str.split` thinks they are

WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def count_words(texts: Sequence[str], counts: Counter[str]) -> None:
    """Add the words of all texts to `counts`."""
    marked = marked_text(texts)
    if marked is None:
        counts.update(chain.from_iterable(map(chunks_of, texts)))
        return
    known = {mark: counts.pop(mark) for mark in (END, NEWLINE) if mark in counts}  # words of other batches
    counts.update(marked.split())
    del counts[END]
    if NEWLINE in counts:
        counts["\n"] += counts.pop(NEWLINE)
    counts.update(known)


def count_whole_texts(texts: Sequence[str], counts: Counter[str]) -> None:
    """Add each text to `counts`, without the white space around it, unless nothing is left."""
    counts.update(_bare(texts))
    del counts[""]


class WholeTextNumbers:
    """Looks whole texts up in a vocabulary, each without the white space around it."""

    def __init__(self, vocabulary: Mapping[str, int], unknown: int) -> None:
        self._vocabulary = vocabulary
        self._unknown = unknown

    def __call__(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the ids of all texts (N,), and 1 for each text (n,), or 0 where nothing is in it."""
        bare = list(_bare(texts))
        lengths = np.fromiter(map(bool, bare), dtype=np.int64, count=len(bare))
        found = map(self._vocabulary.get, filter(None, bare), repeat(self._unknown))
        return np.fromiter(found, dtype=np.int32), lengths


class WordNumbers:
    """Looks the words of many texts up in a vocabulary at once."""

    def __init__(self, vocabulary: Mapping[str, int], unknown: int) -> None:
        self._exact = vocabulary
        self._unknown = unknown
        self._marked = {**vocabulary, END: -1, NEWLINE: vocabulary.get("\n", unknown)}

    def __call__(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the ids of all texts after one another (N,), and how many each text has (n,)."""
        marked = marked_text(texts)
        if marked is None:
            return self._by_expression(texts)
        ids = self._numbers(self._marked, marked.split())
        ends = np.flatnonzero(ids == -1)
        lengths = np.diff(ends, prepend=-1) - 1
        return ids[ids != -1], lengths

    def _by_expression(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        rows = [chunks_of(text) for text in texts]
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        return self._numbers(self._exact, list(chain.from_iterable(rows))), lengths

    def _numbers(self, vocabulary: Mapping[str, int], words: list[str]) -> NDArray[np.int32]:
        found = map(vocabulary.get, words, repeat(self._unknown))
        return np.fromiter(found, dtype=np.int32, count=len(words))


def _bare(texts: Sequence[str]) -> Iterator[str]:
    return (text.strip(WHITE_SPACE) for text in texts)


def marked_text(texts: Sequence[str]) -> str | None:
    """Return all texts in one, each followed by END, newlines as NEWLINE; None if that would be unclear."""
    joined = f" {END} ".join([*texts, ""])
    if joined.count(END) != len(texts) or any(odd in joined for odd in (NEWLINE, *NO_SPACE)):
        return None
    return joined.replace("\n", f" {NEWLINE} ")
