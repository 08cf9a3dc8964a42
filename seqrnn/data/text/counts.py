"""How often each token occurs in texts that come in batches, from which a vocabulary is chosen.

What is counted in several processes is put together: `take` gives away what one has counted, and
`merge` adds it in another.
"""

from __future__ import annotations

import os
import weakref
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Protocol

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.text.joined_texts import JoinedTexts

MOST_HELD = 250_000  # different words in memory, about 20 MB, or 60 MB when they are taken
SHARES = 256  # parts that words are divided into by their hashes, to be added up one after the other
ROOM = 4  # times as many words are compared at once as are wanted
ALL_CHARACTERS = 0x110000
BETWEEN = b"\xff"  # words in a file: no byte of UTF-8 is this one

Parts = list[tuple[bytes, bytes]]
Ranked = tuple[int, str]  # the negative count, and the word: in their order the most frequent is first


class TokenCounts(Protocol):
    """Counts tokens of one kind."""

    @property
    def is_full(self) -> bool:
        """Whether so much is in memory that it is time to `take` it."""

    def add(self, texts: JoinedTexts) -> None:
        """Count the tokens of normalised texts."""

    def take(self) -> Parts:
        """Return what is counted in memory, and count from nothing."""

    def merge(self, parts: Parts) -> None:
        """Add what was taken, here or from another."""

    def most_frequent(self, size: int, min_count: int) -> list[str]:
        """Return `size` tokens or fewer that occur `min_count` times or more.

        The most frequent come first, and those of equal count in the order of their strings.
        """


class CharacterCounts:
    """Counts characters in an array that has an entry for each."""

    is_full = False

    def __init__(self) -> None:
        self._counts = np.zeros(ALL_CHARACTERS, dtype=np.int64)

    def add(self, texts: JoinedTexts) -> None:
        """Count the characters of all texts."""
        found = np.bincount(texts.code_points()) if not texts.is_ascii else _byte_counts(texts.bare())
        self._counts[: len(found)] += found

    def take(self) -> Parts:
        """Return the characters that occurred and their counts, and count from nothing."""
        (code_points,) = self._counts.nonzero()
        counts, self._counts = self._counts[code_points], np.zeros_like(self._counts)
        return [(code_points.astype(np.int64).tobytes(), counts.tobytes())]

    def merge(self, parts: Parts) -> None:
        """Add what was taken, here or from another."""
        for code_points, counts in parts:
            self._counts[np.frombuffer(code_points, np.int64)] += np.frombuffer(counts, np.int64)

    def most_frequent(self, size: int, min_count: int) -> list[str]:
        """Return the most frequent characters; see `TokenCounts`."""
        (code_points,) = (self._counts >= max(min_count, 1)).nonzero()
        order = np.argsort(-self._counts[code_points], kind="stable")
        return [chr(code_point) for code_point in code_points[order][:size].tolist()]


class Tally(Protocol):
    """Counts words of one kind in memory."""

    def __len__(self) -> int:
        """Return how many different things are counted."""

    def add(self, texts: JoinedTexts) -> None:
        """Count the words of all texts."""

    def take(self) -> Counter[str]:
        """Return the counts, and count from nothing."""


class WordCounts:
    """Counts words.

    What was taken and merged lies in a temporary file in `directory`, so that the memory does not
    grow with the number of different words.
    """

    def __init__(self, tally: Tally, directory: Path | None = None) -> None:
        self._tally = tally
        self._aside = _Aside(directory)

    @property
    def is_full(self) -> bool:
        """Whether there are more different words than `MOST_HELD` in memory."""
        return len(self._tally) > MOST_HELD

    def add(self, texts: JoinedTexts) -> None:
        """Count the words of all texts."""
        self._tally.add(texts)

    def take(self) -> Parts:
        """Return the words in memory and their counts in `SHARES` parts, and count from nothing."""
        shares: list[list[tuple[bytes, int]]] = [[] for _ in range(SHARES)]
        for word, count in self._tally.take().items():
            spelled = word.encode("utf-8", "surrogatepass")
            shares[zlib.crc32(spelled) % SHARES].append((spelled, count))
        return list(map(_written, shares))

    def merge(self, parts: Parts) -> None:
        """Put aside what was taken, here or from another."""
        self._aside.append(parts)

    def most_frequent(self, size: int, min_count: int) -> list[str]:
        """Return the most frequent words; see `TokenCounts`."""
        if self._aside:
            self.merge(self.take())
            shares: Iterable[Counter[str]] = map(self._aside.counted, range(SHARES))
        else:
            shares = [self._tally.take()]
        best: list[Ranked] = []
        for share in shares:
            best += [(-count, word) for word, count in share.items() if count >= min_count]
            if len(best) > ROOM * size:
                best = sorted(best)[:size]
        return [word for _, word in sorted(best)[:size]]


class _Aside:
    """A temporary file of counts. All counts of a word are in the parts of the same number."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._file: IO[bytes] | None = None
        self._regions: list[list[tuple[int, int, int]]] = [[] for _ in range(SHARES)]

    def __bool__(self) -> bool:
        return self._file is not None

    def append(self, parts: Parts) -> None:
        """Write the parts of all numbers."""
        if self._file is None:
            import tempfile  # slow to import, and not needed to answer

            self._file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115
            weakref.finalize(self, self._file.close)
        self._file.seek(0, os.SEEK_END)
        for regions, (words, counts) in zip(self._regions, parts, strict=True):
            if words:
                regions.append((self._file.tell(), len(words), len(counts)))
                self._file.write(words + counts)

    def counted(self, share: int) -> Counter[str]:
        """Return the counts of the words of one number."""
        assert self._file is not None
        total: Counter[str] = Counter()
        for start, words, counts in self._regions[share]:
            self._file.seek(start)
            spelled = self._file.read(words).split(BETWEEN)
            numbers = np.frombuffer(self._file.read(counts), np.int64).tolist()
            for word, count in zip(spelled, numbers, strict=True):
                total[word.decode("utf-8", "surrogatepass")] += count
        return total


def _written(share: list[tuple[bytes, int]]) -> tuple[bytes, bytes]:
    numbers = np.array([count for _, count in share], dtype=np.int64)
    return BETWEEN.join(word for word, _ in share), numbers.tobytes()


def _byte_counts(content: bytes) -> NDArray[np.int64]:
    """Count each byte, (256,): pairs of bytes first, which are half as many."""
    pairs = np.bincount(np.frombuffer(content, np.uint16, len(content) // 2), minlength=2**16)
    square = pairs.reshape(256, 256)
    counts: NDArray[np.int64] = square.sum(axis=0) + square.sum(axis=1)
    if len(content) % 2:
        counts[content[-1]] += 1
    return counts
