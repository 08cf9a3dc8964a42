"""The words of many raw texts at once: each different chunk is split once, however often it occurs.

Shapes: n texts, C chunks of all of them, K chunks that are known, N ids.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.text.word_ids import END, NEWLINE, marked_text
from seqrnn.data.text.words import WordSplitter, chunks_of

MOST_KEPT = 1 << 17  # chunks that are remembered
MOST_CHARACTERS = 1 << 22  # of all of them


def split_counts(splitter: WordSplitter, chunks: Counter[str]) -> Counter[str]:
    """Return how often each word occurs in chunks that occur so often."""
    words: Counter[str] = Counter()
    for chunk, count in chunks.items():
        for word in splitter.split(chunk):
            words[word] += count
    return words


class ChunkNumbers:
    """Cuts many texts into words and looks these up in a vocabulary; several threads may do so."""

    def __init__(self, splitter: WordSplitter, vocabulary: Mapping[str, int], unknown: int) -> None:
        def ids_of(chunk: str) -> list[int]:
            return [vocabulary.get(word, unknown) for word in splitter.split(chunk)]

        self._lock = Lock()
        self._exact = _KnownChunks(ids_of)
        self._marked = _KnownChunks(ids_of, {END: (), NEWLINE: ids_of("\n")})

    def __call__(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the ids of all texts after one another (N,), and how many each text has (n,)."""
        with self._lock:
            marked = marked_text(texts)
            if marked is None:
                rows = [chunks_of(text) for text in texts]
                ids, ends = self._exact.ids(self._exact.numbers(chain.from_iterable(rows)))
                last = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows)).cumsum()
            else:
                numbers = self._marked.numbers(marked.split())
                ids, ends = self._marked.ids(numbers)
                last = np.flatnonzero(numbers == self._marked[END])
        return ids, np.diff(np.concatenate([[0], ends])[last], prepend=0)


class _KnownChunks(dict[str, int]):
    """Numbers chunks as they are met, and keeps the ids of each; `fixed` are the ids of some."""

    def __init__(
        self, ids_of: Callable[[str], Sequence[int]], fixed: Mapping[str, Sequence[int]] | None = None
    ) -> None:
        super().__init__()
        self._ids_of = ids_of
        self._fixed = fixed or {}
        self._forget()

    def numbers(self, chunks: Iterable[str]) -> NDArray[np.int64]:
        """Return the numbers of chunks, (C,), which are right until they are asked for again."""
        if len(self) > MOST_KEPT or self._characters > MOST_CHARACTERS:
            self._forget()
        return np.fromiter(map(self.__getitem__, chunks), dtype=np.int64)

    def ids(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the ids of chunks (N,) by their numbers (C,), how many there are by the end of each (C,)."""
        known = np.array(self._sizes, dtype=np.int64)  # (K,)
        sizes = known[numbers]
        ends = sizes.cumsum()
        shifts = (known.cumsum() - known)[numbers] - (ends - sizes)
        places = np.repeat(shifts, sizes) + np.arange(sizes.sum())
        return np.array(self._ids, dtype=np.int32)[places], ends

    def __missing__(self, chunk: str) -> int:
        """Number a chunk."""
        self._keep(chunk, self._ids_of(chunk))
        return self[chunk]

    def _keep(self, chunk: str, ids: Sequence[int]) -> None:
        self[chunk] = len(self._sizes)
        self._characters += len(chunk)
        self._sizes.append(len(ids))
        self._ids.extend(ids)

    def _forget(self) -> None:
        self.clear()
        self._characters = 0
        self._ids, self._sizes = array("i"), array("q")
        for chunk, ids in self._fixed.items():
            self._keep(chunk, ids)
