"""Which records are held out for validation: the same at every pass over the same records.

A split of texts decides by the input of a record, or by its offset, the `weight` of all before it.
One that also looks at labels or remembers what it has seen is asked of the records in their order.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seqrnn.config import Holdout
from seqrnn.data.grouping import batched
from seqrnn.data.record import Record, size_of

LONGEST_BLOCK = 1000  # examples of a label that are drawn at once


class Texts(Protocol):
    """The inputs of n examples, as far as a split looks at it."""

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

    def held_out(self, texts: Texts, offset: int) -> NDArray[np.bool_]:
        """Draw for each text, (n,); `offset` is the weight of all before them."""
        if not self.fraction:
            return np.zeros(len(texts), dtype=bool)
        bits = np.random.PCG64(self.seed)
        bits.advance(offset)
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

    def held_out(self, texts: Texts, offset: int) -> NDArray[np.bool_]:
        """Compare the position of each line with that of the cut, (n,)."""
        cut = self.characters * (1.0 - self.fraction)
        # Of the two ends of the line that the cut falls into, the nearer one is the boundary.
        middles = offset + texts.lengths.cumsum() - texts.lengths / 2
        after: NDArray[np.bool_] = middles > cut
        return after


@dataclass(frozen=True)
class SourceSplit:
    """Holds a share of about `fraction` of all sources out, each with all its examples.

    A source's hash decides, not its position, so that nothing needs to be remembered.
    """

    fraction: float
    seed: int

    def weight(self, _texts: Texts) -> int:
        """Return nothing: the position does not matter."""
        return 0

    def held_out(self, texts: Texts, _offset: int) -> NDArray[np.bool_]:
        """Look at each text, (n,)."""
        key, limit = self.seed.to_bytes(8, "big"), self.fraction * 2**64
        drawn = (_hash(text, key) < limit for text in texts.texts())
        return np.fromiter(drawn, dtype=bool, count=len(texts))


TextSplit = RandomSplit | SourceSplit | TailSplit


@dataclass(frozen=True)
class StratifiedSplit:
    """Holds about `fraction` of the examples of each label out, the first of a label never.

    Where an example bears several labels, the one that was the rarest so far counts.
    """

    fraction: float
    seed: int

    def chooser(self) -> Callable[[Record], bool]:
        """Return what says of one record after the other whether it is held out."""
        strata, drawn = _Strata(), dict[str, Iterator[bool]]()

        def is_held_out(record: Record) -> bool:
            stratum = strata.next_of(record)
            if stratum not in drawn:
                drawn[stratum] = self._draw(stratum)
            return next(drawn[stratum])

        return is_held_out

    def _draw(self, stratum: str) -> Iterator[bool]:
        """Draw without end, from block to block of the examples of a label."""
        generator, length = _generator(self.seed, stratum), self._block_length()
        begun, block, blocks = generator.random(), 0, 1
        while True:
            ends = begun + np.arange(block, block + blocks + 1) * (length * self.fraction)
            amounts = np.minimum(np.diff(np.floor(ends)), length - 1)  # (blocks,)
            order = generator.random((blocks, length))
            if not block:
                order[0, 0] = 1.0  # after all others
            ranks = order.argsort(axis=1).argsort(axis=1)
            yield from (ranks < amounts[:, None]).ravel().tolist()
            block, blocks = block + blocks, max(LONGEST_BLOCK // length, 1)

    def _block_length(self) -> int:
        """Return of how many examples of a label about one is held out, or all but one."""
        return math.ceil(min(1 / max(min(self.fraction, 1 - self.fraction), 1e-9), LONGEST_BLOCK))


class Fold(NamedTuple):
    """One of so many parts of the data, numbered from 0, that each are held out once."""

    number: int
    of: int


@dataclass(frozen=True)
class FoldSplit:
    """Holds out one `fold`, all of which are about equal in size.

    `divided` says what goes to the folds: "examples", "sources" with all the examples that they are
    in, or the examples of each label, "stratified".
    """

    fold: Fold
    seed: int
    divided: Holdout

    def chooser(self) -> Callable[[Record], bool]:
        """Return what says of one record after the other whether it is held out."""
        strata, sizes, left = _Strata(), [0] * self.fold.of, dict[str, list[int]]()
        generator, known = _generator(self.seed, ""), dict[str, int]()

        def fold_of(record: Record) -> int:
            stratum = strata.next_of(record) if self.divided == "stratified" else ""
            if not left.get(stratum):  # each of so many goes to another fold
                left[stratum] = generator.permutation(self.fold.of).tolist()
            fold = min(left[stratum], key=sizes.__getitem__)
            left[stratum].remove(fold)
            sizes[fold] += 1
            return fold

        def is_held_out(record: Record) -> bool:
            if self.divided != "sources":
                return fold_of(record) == self.fold.number
            read = _read(record)
            if read not in known:
                known[read] = fold_of(record)
            return known[read] == self.fold.number

        return is_held_out


Split = TextSplit | StratifiedSplit | FoldSplit


class _Strata:
    """Counts the labels of examples as these come."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def next_of(self, record: Record) -> str:
        """Return the label of the next example that was the rarest so far."""
        labels = record.labels or ("",)
        stratum = labels[0] if len(labels) == 1 else min(labels, key=self._seen.__getitem__)
        for label in labels:
            self._seen[label] += 1
        return stratum


def assign(split: Split, records: Iterable[Record]) -> Iterator[tuple[list[Record], NDArray[np.bool_]]]:
    """Yield the records in batches, with which of them are held out, (n,)."""
    choose = _by_record(split) if isinstance(split, StratifiedSplit | FoldSplit) else _by_text(split)
    for batch in batched(records, size_of):
        yield batch, choose(batch)


def _by_record(split: StratifiedSplit | FoldSplit) -> Callable[[list[Record]], NDArray[np.bool_]]:
    is_held_out = split.chooser()
    return lambda batch: np.fromiter(map(is_held_out, batch), dtype=bool, count=len(batch))


def _by_text(split: TextSplit) -> Callable[[list[Record]], NDArray[np.bool_]]:
    offset = 0
    read = _read if isinstance(split, SourceSplit) else _text

    def choose(batch: list[Record]) -> NDArray[np.bool_]:
        nonlocal offset
        texts = _Listed(list(map(read, batch)))
        held_out = split.held_out(texts, offset)
        offset += split.weight(texts)
        return held_out

    return choose


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


def _generator(seed: int, stratum: str) -> np.random.Generator:
    return np.random.default_rng([seed, _hash(stratum, b"")])


def _hash(text: str, key: bytes) -> int:
    content = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8, key=key).digest(), "big")
