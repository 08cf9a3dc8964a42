"""Which records are held out for validation: the same at every pass over the same records."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from seqrnn.data.record import Record


@dataclass(frozen=True)
class RandomSplit:
    """Holds each example out with the probability `fraction`, drawn from a generator of its own."""

    fraction: float
    seed: int

    def assign(self, records: Iterable[Record]) -> Iterator[tuple[Record, bool]]:
        """Yield each record, and whether it is held out."""
        generator = np.random.default_rng(self.seed)
        for record in records:
            yield record, generator.random() < self.fraction


@dataclass(frozen=True)
class TailSplit:
    """Holds the last `fraction` of a text of so many `characters` out, cut at the nearest line boundary."""

    fraction: float
    characters: int

    def assign(self, records: Iterable[Record]) -> Iterator[tuple[Record, bool]]:
        """Yield each line, and whether it is held out."""
        cut = self.characters * (1.0 - self.fraction)
        start = 0
        for record in records:
            # Of the two ends of the line that the cut falls into, the nearer one is the boundary.
            middle = start + len(record.source) / 2
            yield record, middle > cut
            start += len(record.source)


@dataclass(frozen=True)
class SourceSplit:
    """Holds a share of about `fraction` of all sources out, each with all the examples that it stands in.

    A source's hash decides, not its place, so that nothing needs to be remembered.
    """

    fraction: float
    seed: int

    def assign(self, records: Iterable[Record]) -> Iterator[tuple[Record, bool]]:
        """Yield each record, and whether it is held out."""
        key = self.seed.to_bytes(8, "big")
        for record in records:
            read = record.source if record.steps is None else str(record.steps)
            text = read.encode("utf-8", "surrogatepass")
            drawn = int.from_bytes(hashlib.blake2b(text, digest_size=8, key=key).digest(), "big")
            yield record, drawn < self.fraction * 2**64


Split = RandomSplit | SourceSplit | TailSplit
