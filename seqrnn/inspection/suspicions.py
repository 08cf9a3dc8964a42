"""Rows that look like slips: what is suspicious, how often, and where first."""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from seqrnn.data.record import Record

SHOWN = 5  # locations of a kind
REPLACED = "\ufffd"
LONG = 20  # times the 95th percentile

_control = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


@dataclass
class Suspicion:
    """What some rows have in common: `what` completes "rows ..."."""

    what: str
    count: int = 0
    places: list[str] = field(default_factory=list)

    def note(self, location: str) -> None:
        """Take note of one row more."""
        self.count += 1
        if len(self.places) < SHOWN:
            self.places.append(location)


class SuspicionCounter:
    """Looks at the characters and the size of each row."""

    def __init__(self) -> None:
        self._replaced = Suspicion("with U+FFFD, which stands for characters that were lost")
        self._control = Suspicion("with control characters")
        self._longest: list[tuple[int, str]] = []  # sizes and locations, a heap

    def add(self, records: Sequence[Record]) -> None:
        """Look at some records."""
        sources = [record.source for record in records]
        joined = "\n".join(sources)
        if REPLACED in joined:
            for record in (record for record in records if REPLACED in record.source):
                self._replaced.note(record.location)
        if _control.search(joined):
            for record in (record for record in records if _control.search(record.source)):
                self._control.note(record.location)
        self._note_longest(records)

    def _note_longest(self, records: Sequence[Record]) -> None:
        sizes = [record.length for record in records]
        while len(self._longest) < SHOWN or max(sizes, default=0) > self._longest[0][0]:
            if not sizes or not max(sizes):
                return
            longest = sizes.index(max(sizes))
            heapq.heappush(self._longest, (sizes[longest], records[longest].location))
            sizes[longest] = 0
            if len(self._longest) > SHOWN:
                heapq.heappop(self._longest)

    def found(self, usual: float) -> list[Suspicion]:
        """Return what was found, where rows of `usual` characters or steps, or fewer, are 95 of a hundred."""
        far = sorted((each for each in self._longest if each[0] > LONG * max(usual, 1)), reverse=True)
        long = Suspicion(f"over {LONG} times as long as 95 % of the rows", len(far), [at for _, at in far])
        return [each for each in (self._replaced, self._control, long) if each.count]
