"""The words of many texts at once: each different chunk is split once, however often it occurs.

Shapes: n texts, C chunks of all of them, K chunks that are known, N ids.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, repeat
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.text.chunk_table import ChunkTable
from seqrnn.data.text.joined_texts import Chunks, JoinedTexts

MOST_KEPT = 1 << 18  # chunks that are remembered
MOST_BYTES = 1 << 24  # of all of them

Split = Callable[[str], Sequence[str]]


def as_it_is(chunk: str) -> Sequence[str]:
    """Split a chunk that is a word."""
    return (chunk,)


class ChunkTally:
    """Counts chunks, and says how often each word occurs in them."""

    def __init__(self, split: Split = as_it_is) -> None:
        self._split = split
        self._table = ChunkTable()
        self._counts = np.zeros(0, dtype=np.int64)  # by the numbers of chunks

    def __len__(self) -> int:
        return len(self._table)

    def add(self, texts: JoinedTexts) -> None:
        """Count the chunks of all texts."""
        chunks = texts.chunks()
        numbers, _ = self._table.find(chunks.content, chunks.starts, chunks.ends)
        counts = np.bincount(numbers, minlength=len(self._table))
        counts[: len(self._counts)] += self._counts
        self._counts = counts

    def take(self) -> Counter[str]:
        """Return the counts of words, and count from nothing."""
        words: Counter[str] = Counter()
        for chunk, count in zip(self._table.spellings(), self._counts.tolist(), strict=True):
            for word in self._split(_text(chunk)):
                words[word] += count
        self._table.clear()
        self._counts = self._counts[:0]
        return words


class ChunkNumbers:
    """Cuts many texts into words and looks these up in a vocabulary; several threads may do so."""

    def __init__(self, vocabulary: Mapping[str, int], unknown: int, split: Split = as_it_is) -> None:
        self._vocabulary = vocabulary
        self._unknown = unknown
        self._split = split
        self._lock = Lock()
        self._table = ChunkTable()
        self._forget()

    def __call__(self, texts: JoinedTexts) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the ids of all texts after one another (N,), and how many each text has (n,)."""
        chunks = texts.chunks()
        with self._lock:
            if len(self._table) > MOST_KEPT or self._table.size > MOST_BYTES:
                self._forget()
            numbers, new = self._table.find(chunks.content, chunks.starts, chunks.ends)
            if new:
                self._learn(chunks, new)
            ids, ends = self._ids_of(numbers)
        return ids, np.diff(ends[chunks.last], prepend=0)

    def _learn(self, chunks: Chunks, new: list[int]) -> None:
        """Take note of the words of chunks that have just got their numbers."""
        bounds = zip(chunks.starts[new].tolist(), chunks.ends[new].tolist(), strict=True)
        words = [self._split(_text(chunks.content[start:end])) for start, end in bounds]
        self._ids.extend(map(self._vocabulary.get, chain.from_iterable(words), repeat(self._unknown)))
        self._sizes.extend(map(len, words))
        self._known = _Known.of(self._ids, self._sizes)

    def _ids_of(self, numbers: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the ids of chunks (N,) by their numbers (C,), and how many come before each (C + 1,)."""
        known = self._known
        if known.one_each:
            return known.ids[numbers], np.arange(len(numbers) + 1)
        sizes = known.sizes[numbers]
        ends = np.concatenate([[0], sizes.cumsum()])
        shifts = known.begins[numbers] - ends[:-1]
        index = np.repeat(shifts, sizes) + np.arange(ends[-1])
        return known.ids[index], ends

    def _forget(self) -> None:
        self._table.clear()
        self._ids, self._sizes = array("i"), array("q")
        self._known = _Known.of(self._ids, self._sizes)


class _Known(NamedTuple):
    """The ids of the words of all known chunks, how many each has (K,), and where they begin (K,)."""

    ids: NDArray[np.int32]
    sizes: NDArray[np.int64]
    begins: NDArray[np.int64]
    one_each: bool

    @classmethod
    def of(cls, ids: array[int], sizes: array[int]) -> _Known:
        """Copy what is still to grow."""
        counts = np.array(sizes, dtype=np.int64)
        one_each = len(ids) == len(sizes) == np.count_nonzero(counts == 1)
        return cls(np.array(ids, dtype=np.int32), counts, counts.cumsum() - counts, one_each)


def _text(chunk: bytes) -> str:
    return chunk.decode("utf-8", "surrogatepass")
