"""How many CPU threads an update is made with: one, or all, whichever is faster at the moment.

Two threads that wait for each other are fast on an idle machine; where other processes want the
cores, a thread that is not running holds up the other one, and both together can be far slower than
one alone. Which holds depends on the sizes of the network and on the neighbours, so it is measured:
now and then a few updates are made with either number, in turns, and the faster one is kept. The
updates themselves are the same to the last bit with either.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

ROUNDS = 4  # updates with each number in a trial
HOLD = 20.0  # seconds between two trials


class ThreadTuner:
    """Sets the number of threads before each update; is told how long the update took."""

    def __init__(self, most: int, set_threads: Callable[[int], None] = torch.set_num_threads) -> None:
        """`most` is the number to be weighed against one; with 1 there is nothing to choose."""
        self._choices = [most, 1] if most > 1 else []
        self._set_threads = set_threads
        self._costs: dict[int, list[float]] = {}
        self._rested = time.monotonic()
        self._trial = bool(self._choices)
        self._current = most

    def update_took(self, seconds: float, positions: int) -> None:
        """Take note of an update over so many positions, and set the threads of the next one."""
        if not self._trial:
            self._trial = bool(self._choices) and time.monotonic() - self._rested > HOLD
            return
        # Per position: the updates of a trial differ in size.
        self._costs.setdefault(self._current, []).append(seconds / max(positions, 1))
        done = sum(map(len, self._costs.values()))
        if done < ROUNDS * len(self._choices):
            self._use(self._choices[done % len(self._choices)])
        else:
            self._use(min(self._costs, key=lambda threads: sorted(self._costs[threads])[ROUNDS // 2]))
            self._costs, self._trial, self._rested = {}, False, time.monotonic()

    def _use(self, threads: int) -> None:
        if threads != self._current:
            self._set_threads(threads)
            self._current = threads
