"""Learning-rate schedules: what the rate is after a share of the training.

A new shape is a function here, its line in `SHAPES`, and its name among the choices of `schedule` in
`config.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


def cosine(fraction: float) -> float:
    """Fall from 1 to 0 along half a cosine (Loshchilov and Hutter 2017)."""
    return 0.5 * (1.0 + math.cos(math.pi * fraction))


def linear(fraction: float) -> float:
    """Fall from 1 to 0 along a line."""
    return 1.0 - fraction


def constant(fraction: float) -> float:  # noqa: ARG001
    """Stay at 1."""
    return 1.0


SHAPES: dict[str, Callable[[float], float]] = {
    "cosine": cosine,
    "linear": linear,
    "constant": constant,
    "plateau": constant,
}

REWARMING = 40  # updates in which the rate rises after the weights were taken back
MAX_WARMUP = 0.2  # of a training in which the rate rises, however many updates that should take
MAX_BOOST = 4.0  # times a rate that is right for `horizon` updates, in a training of few
BOOST_POWER = 0.6  # by which the rate grows with the factor by which updates are fewer


@dataclass
class Schedule:
    """The learning rate as a function of the share of the training that is done, and of the updates made.

    `scale` is what has become of the rate so far: the plateau schedule halves it each time `patience`
    evaluations in a row bring nothing better, and so does a training that went astray.
    """

    name: str
    peak: float
    warmup: float
    scale: float = 1.0
    patience: int = 2
    warmup_updates: int = 0  # in which the rate rises at least
    horizon: int = 0  # updates of a training for which `peak` is right; 0: for any
    began: int = 0  # the update after which the weights were taken back, and the rate rises anew

    def rate(self, fraction: float, updates: int) -> float:
        """Return the learning rate after `fraction` (0 to 1) of the training, of so many updates."""
        done = min(max(fraction - self.warmup, 0.0) / (1.0 - self.warmup), 1.0)
        rise = 0.01 + 0.99 * self._risen(fraction, updates)
        return self.highest(fraction, updates) * rise * SHAPES[self.name](done)

    def highest(self, fraction: float, updates: int) -> float:
        """Return the rate from which it falls, as far as is known then."""
        return self.peak * self.boost(fraction, updates) * self.scale

    def boost(self, fraction: float, updates: int) -> float:
        """Return by what the rate is higher in a training of which so many updates are a `fraction`.

        The fewer they are, the higher a rate is best, up to a limit: docs/design.md has what was measured. A
        schedule that stays at 1 has one rate for all lengths.
        """
        if not self.horizon or fraction <= 0.0 or SHAPES[self.name] is constant:
            return 1.0
        planned = max(updates / fraction, 1.0)
        return min(max(math.pow(self.horizon / planned, BOOST_POWER), 1.0), MAX_BOOST)

    def observe(self, stale: int) -> None:
        """Take note that `stale` evaluations in a row were not better than the best."""
        if self.name == "plateau" and stale and stale % self.patience == 0:
            self.scale *= 0.5

    def begin_anew(self, updates: int) -> None:
        """Halve the rate, and let it rise to that, after so many updates."""
        self.scale, self.began = 0.5 * self.scale, updates

    def _risen(self, fraction: float, updates: int) -> float:
        """Return how much of the warm-up is over, 0 to 1."""
        share = fraction / self.warmup if self.warmup else 1.0
        least = max(updates / self.warmup_updates, fraction / MAX_WARMUP) if self.warmup_updates else 1.0
        again = (updates - self.began) / REWARMING if self.began else 1.0
        return min(share, least, again, 1.0)
