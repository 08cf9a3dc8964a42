"""How the cores are used for an update: whichever way is faster at the moment.

Two threads that wait for each other are fast on an idle machine; where other processes want the
cores, a thread that is not running holds up the other one, and both together can be far slower than
one alone. Which holds depends on the sizes of the network and on the neighbours, so it is measured:
now and then some updates are made in each way, in turns, and the fastest one is kept. The
updates themselves are the same to the last bit with any.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import nn

from seqrnn.backends.torch.rnn import RNN

TRIAL_UPDATES = 8  # updates in each way in a trial
TRIAL_INTERVAL = 15.0  # seconds between two trials, at least
TRIAL_SHARE = 0.1  # of the time, at most, that trials take
COST_EXPONENT = 0.65  # measured: batches of twice the positions take 1.4 (slots) to 1.8 times (g2p) as long
REMEMBERED = 32  # updates in each way that count: batches differ, so that few are a guess
CLEAR_RATIO = 3.0  # so many times slower needs no third look; the first one finds caches empty


class ThreadUse(NamedTuple):
    """How many `threads` an operation has, and whether both directions of a layer are computed at a time."""

    threads: int
    both_directions: bool = False


def thread_uses(model: nn.Module, most: int) -> list[ThreadUse]:
    """Return the ways to compute an update of a model with so many threads, or fewer."""
    if most == 1:
        return []
    two_ways = any(rnn.sizes.bidirectional for rnn in _layers(model))
    return [ThreadUse(most), ThreadUse(1), *([ThreadUse(most // 2, True)] if two_ways else [])]


def use_threads(model: nn.Module, use: ThreadUse) -> None:
    """Have the next updates of a model computed in this way."""
    torch.set_num_threads(use.threads)
    for rnn in _layers(model):
        rnn.both_at_once = use.both_directions


def _layers(model: nn.Module) -> list[RNN]:
    return [module for module in model.modules() if isinstance(module, RNN)]


class ThreadTuner:
    """Says how the next update is computed, by how long those before it took."""

    def __init__(self, ways: Sequence[ThreadUse], use: Callable[[ThreadUse], None]) -> None:
        """`use` is told one of `ways`, the first of which is in use; with none there is nothing to choose."""
        self._ways = list(ways)
        self._use_way = use
        self._current = ways[0] if ways else None
        self._costs: dict[ThreadUse, deque[float]] = {}  # of the last trials
        self._usual = 0.0  # cost when the last trial ended
        self._next = 0.0  # when another one is due
        self._begin()

    def update_took(self, seconds: float, positions: int) -> None:
        """Take note of an update over so many positions, and choose how the next one is made."""
        if self._current is None:
            return
        cost = seconds / max(positions, 1) ** COST_EXPONENT  # since updates differ in size
        if not self._left:
            changed = cost > CLEAR_RATIO * self._usual
            if changed:
                self._costs = {}
            if changed or time.monotonic() > self._next:
                self._begin()
            return
        self._trial.setdefault(self._current, []).append(cost)
        self._left -= 1
        if self._left and not self._is_clear():
            self._use(self._ways[-self._left % len(self._ways)])
        else:
            self._decide()

    def _begin(self) -> None:
        self._trial: dict[ThreadUse, list[float]] = {}
        self._left = TRIAL_UPDATES * len(self._ways)  # updates of the trial under way; 0 outside
        self._began = time.monotonic()

    def _is_clear(self) -> bool:
        """Whether one way is so much slower than another that the trial need not go on."""
        best = [min(costs) for costs in self._trial.values() if len(costs) > 1]
        return len(best) == len(self._ways) and max(best) > CLEAR_RATIO * min(best)

    def _decide(self) -> None:
        for way, costs in self._trial.items():
            self._costs.setdefault(way, deque(maxlen=REMEMBERED)).extend(costs)
        medians = {way: statistics.median_low(costs) for way, costs in self._costs.items()}
        best = min(medians, key=medians.__getitem__)
        self._use(best)
        self._usual, self._left, now = medians[best], 0, time.monotonic()
        self._next = now + max(TRIAL_INTERVAL, (now - self._began) / TRIAL_SHARE)

    def _use(self, way: ThreadUse) -> None:
        if way != self._current:
            self._use_way(way)
            self._current = way
