"""Which records are held out for validation: the same at every pass over the same records.

A split decides by what is read of a record, or by its place, the `weight` of all before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.grouping import batched
from seqrnn.data.record import Record, size_of


class Texts(Protocol):
    """What is read of n examples, as far as a split looks at it."""

    def __len__(self) -> int: ...

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Characters of each, (n,)."""

    def texts(self) -> Sequence[str]:
        """Return each."""


@dataclass(frozen=True)
class RandomSplit:
    """Holds each example out with the probability `fraction`, drawn from a generator of its own."""

    fraction: float
    seed: int

    def weight(self, texts: Texts) -> int:
        """Return the number of examples."""
        return len(texts)

    def held_out(self, texts: Texts, place: int) -> NDArray[np.bool_]:
        """Draw for each text, (n,); `place` is the weight of all before them."""
        if not self.fraction:
            return np.zeros(len(texts), dtype=bool)
        bits = np.random.PCG64(self.seed)
        bits.advance(place)
        drawn: NDArray[np.bool_] = np.random.Generator(bits).random(len(texts)) < self.fraction
        return drawn


@dataclass(frozen=True)
class TailSplit:
    """Holds the last `fraction` of a text of so many `characters` out, cut at the nearest line boundary."""

    fraction: float
    characters: int

    def weight(self, texts: Texts) -> int:
        """Return the number of characters."""
        return int(texts.lengths.sum())

    def held_out(self, texts: Texts, place: int) -> NDArray[np.bool_]:
        """Compare the place of each line with that of the cut, (n,)."""
        cut = self.characters * (1.0 - self.fraction)
        # Of the two ends of the line that the cut falls into, the nearer one is the boundary.
        middles = place + texts.lengths.cumsum() - texts.lengths / 2
        after: NDArray[np.bool_] = middles > cut
        return after


@dataclass(frozen=True)
class SourceSplit:
    """Holds a share of about `fraction` of all sources out, each with all the examples that it stands in.

    A source's hash decides, not its place, so that nothing needs to be remembered.
    """

    fraction: float
    seed: int

    def weight(self, _texts: Texts) -> int:
        """Return nothing: the place does not matter."""
        return 0

    def held_out(self, texts: Texts, _place: int) -> NDArray[np.bool_]:
        """Look at each text, (n,)."""
        key, limit = self.seed.to_bytes(8, "big"), self.fraction * 2**64
        drawn = (_hash(text, key) < limit for text in texts.texts())
        return np.fromiter(drawn, dtype=bool, count=len(texts))


Split = RandomSplit | SourceSplit | TailSplit


def assign(split: Split, records: Iterable[Record]) -> Iterator[tuple[list[Record], NDArray[np.bool_]]]:
    """Yield the records in batches, with which of them are held out, (n,)."""
    place = 0
    read = _read if isinstance(split, SourceSplit) else _text
    for batch in batched(records, size_of):
        texts = _Listed(list(map(read, batch)))
        yield batch, split.held_out(texts, place)
        place += split.weight(texts)


@dataclass(frozen=True)
class _Listed:
    items: Sequence[str]

    def __len__(self) -> int:
        return len(self.items)

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.fromiter(map(len, self.items), dtype=np.int64, count=len(self.items))

    def texts(self) -> Sequence[str]:
        return self.items


def _text(record: Record) -> str:
    return record.source


def _read(record: Record) -> str:
    return record.source if record.steps is None else str(record.steps)


def _hash(text: str, key: bytes) -> int:
    content = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8, key=key).digest(), "big")
