"""`--shard 2/4`: the part of the rows that one of several processes answers.

The parts are contiguous, and their outputs, one after the other, are the output of one process, to the byte.
Rows that are answered together can differ in the last digit from rows that are answered alone. So parts are
made of the blocks of `MAX_ROWS` rows in which one process answers a file, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from seqrnn.answering.row_batches import MAX_ROWS
from seqrnn.errors import UsageError

MAX_SHARDS = 1_000_000

Item = TypeVar("Item")


@dataclass(frozen=True)
class Piece:
    """The rows `start` to `stop` of a file, numbered from 0; those of all of it, unless they are given.

    A piece without a `stop` goes to the end of the file, whatever is there; `rows_follow` says whether
    there are rows after it.
    """

    start: int = 0
    stop: int | None = None
    is_first: bool = True
    is_last: bool = True
    rows_follow: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it is known to hold no rows."""
        return self.start == self.stop

    def within(self, parts: Iterator[Sequence[Item] | None]) -> Iterator[Sequence[Item] | None]:
        """Yield parts of rows, the first of which begins at `start`, up to `stop`, where a part ends.

        Nothing is taken of `parts` after the last row, where the file may be damaged.
        """
        taken = self.start
        while not self.is_empty:
            part = next(parts, ())
            if part is not None and not part:
                return
            yield part
            taken += len(part or ())
            if taken == self.stop:
                return


WHOLE = Piece()


@dataclass(frozen=True)
class Shard:
    """One of `of` parts, numbered from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str | None) -> Shard | None:
        """Read `i/n`. Raises UsageError for anything else."""
        if text is None:
            return None
        match = re.fullmatch(r"(\d{1,7})/(\d{1,7})", text, re.ASCII)
        if match is None or not 1 <= (number := int(match[1])) <= (of := int(match[2])) <= MAX_SHARDS:
            raise UsageError(f"--shard {text}: is no part; write 2/4 for the second of four")
        return cls(number, of)

    def share(self, count: int) -> tuple[int, int]:
        """Return of `count` things in a row where this part begins and ends."""
        return count * (self.number - 1) // self.of, count * self.number // self.of

    def piece(self, rows: int) -> Piece:
        """Return the part of a file that has so many rows."""
        start, stop = (min(block * MAX_ROWS, rows) for block in self.share(-(-rows // MAX_ROWS)))
        is_last = self.number == self.of
        return Piece(start, None if is_last else stop, self.number == 1, is_last, stop < rows)
