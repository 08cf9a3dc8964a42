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

TRIAL_UPDATES = 4  # updates with each number in a trial
TRIAL_INTERVAL = 30.0  # seconds between two trials
CLEAR_RATIO = 3.0  # so many times slower needs no second look


class ThreadTuner:
    """Sets the number of threads before each update; is told how long the update took."""

    def __init__(self, most: int, set_threads: Callable[[int], None] = torch.set_num_threads) -> None:
        """`most` is the number to be weighed against one; with 1 there is nothing to choose."""
        self._choices = [most, 1] if most > 1 else []
        self._set_threads = set_threads
        self._current = most
        self._costs: dict[int, list[float]] = {}  # of a trial: seconds a position, by number of threads
        self._usual = 0.0  # seconds a position when the last trial ended; 0 in a trial
        self._decided = time.monotonic()

    def update_took(self, seconds: float, positions: int) -> None:
        """Take note of an update over so many positions, and set the threads of the next one."""
        if not self._choices:
            return
        cost = seconds / max(positions, 1)  # per position, since updates differ in size
        if self._usual:
            if cost > CLEAR_RATIO * self._usual or time.monotonic() - self._decided > TRIAL_INTERVAL:
                self._usual = 0.0  # the next update begins a trial
            return
        self._costs.setdefault(self._current, []).append(cost)
        done = sum(map(len, self._costs.values()))
        if done < TRIAL_UPDATES * len(self._choices) and not self._is_clear():
            self._use(self._choices[done % len(self._choices)])
        else:
            self._decide()

    def _is_clear(self) -> bool:
        """Whether one number is so much faster that the trial need not go on."""
        best = [min(costs) for costs in self._costs.values()]
        return len(best) > 1 and max(best) > CLEAR_RATIO * min(best)

    def _decide(self) -> None:
        medians = {threads: sorted(costs)[len(costs) // 2] for threads, costs in self._costs.items()}
        best = min(medians, key=medians.__getitem__)
        self._use(best)
        self._usual, self._costs, self._decided = medians[best], {}, time.monotonic()

    def _use(self, threads: int) -> None:
        if threads != self._current:
            self._set_threads(threads)
            self._current = threads
