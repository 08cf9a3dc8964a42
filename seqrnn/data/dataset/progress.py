"""How far the preparation of data has come."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from seqrnn.data.formats.folder_listing import files_of
from seqrnn.errors import SeqrnnError

INTERVAL = 0.1  # seconds between two events


@dataclass(frozen=True)
class Preparing:
    """Where the preparation is: an event like those of a training.

    `done` and `total` are bytes of the files in the pass over them that `what` names, which has taken
    `pass_seconds`; `fraction` is the share of all passes, 0 to 1, and `left` the seconds they may need.
    """

    what: str
    done: int
    total: int
    pass_seconds: float
    fraction: float
    left: float


class Pass(NamedTuple):
    """One reading of some files; a byte of it takes `cost` times as long as one of another pass."""

    what: str
    total: int
    cost: float


class Progress:
    """Tells the bytes that were taken, pass after pass, as events."""

    def __init__(self, tell: Callable[[Preparing], None] = lambda _: None) -> None:
        self._tell = tell
        self._passes: Sequence[Pass] = ()
        self._number = 0
        self._done = 0.0
        self._began = self._since = self._told = time.monotonic()

    def plan(self, passes: Sequence[Pass]) -> None:
        """Say which passes will be made, at most, and begin with the first."""
        self._passes = passes
        self._number, self._done = 0, 0.0

    def begin(self, what: str) -> None:
        """Begin with the next pass of this name, leaving out those before it."""
        names = [one.what for one in self._passes]
        with suppress(ValueError):
            self._number, self._done = names.index(what, self._number + 1), 0.0
            self._began = time.monotonic()

    def taken(self, size: int) -> None:
        """Take note of some bytes."""
        self._add(size)

    def took(self, share: float) -> None:
        """Take note of a share (0 to 1) of the pass."""
        self._add(share * self._passes[self._number].total if self._passes else 0.0)

    def _add(self, size: float) -> None:
        self._done += size
        now = time.monotonic()
        if self._passes and now - self._told >= INTERVAL:
            self._told = now
            self._tell(self._event(now))

    def _event(self, now: float) -> Preparing:
        here = self._passes[self._number]
        costs = [one.total * one.cost for one in self._passes]
        done = min(self._done, here.total)  # a file may grow
        spent = sum(costs[: self._number]) + done * here.cost
        fraction = spent / max(sum(costs), 1)
        left = (now - self._since) * (1 / max(fraction, 1e-6) - 1)
        return Preparing(here.what, round(done), here.total, now - self._began, fraction, left)


def bytes_in(paths: Iterable[str | None], source_kind: str = "auto") -> int:
    """Return the bytes of all files, and of those in folders that `source_kind` reads.

    One that is not there counts as 0: another will tell.
    """
    total = 0
    for path in filter(None, paths):
        with suppress(OSError, ValueError, SeqrnnError):
            total += sum(os.stat(file).st_size for file in files_of(path, source_kind))
    return total
