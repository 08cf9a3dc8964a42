"""How long a training lasts, and which share of it is done."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from seqrnn.config import TrainingConfig

LEAST = 0.25  # of a time budget that is left to the training, however long its data took
SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def parse_budget(text: str) -> float:
    """Turn `90s`, `1.5h` or `1h30m` into seconds; the schema has checked the spelling."""
    return sum(float(amount) * SECONDS[unit] for amount, unit in re.findall(r"([0-9.]+)([dhms])", text))


def budget_of(seconds: float) -> str:
    """Return the spelling of a time, which `parse_budget` reads again to a thousandth of a second."""
    days, rest = divmod(max(seconds, 0.001), SECONDS["d"])
    return (f"{days:.0f}d" if days else "") + f"{rest:.3f}s"


@dataclass(frozen=True)
class Duration:
    """The limits of a training; the one that is reached first ends it."""

    seconds: float | None
    epochs: float | None
    steps: int | None

    @classmethod
    def of(cls, config: TrainingConfig) -> Duration:
        """Read the limits from a configuration."""
        seconds = None if config.budget is None else parse_budget(config.budget)
        return cls(seconds, config.epochs, config.steps)

    def updates(self, of_epoch: float) -> float | None:
        """Return how many updates there will be, with so many in an epoch; None where the time decides."""
        limits = (self.steps, self.epochs and self.epochs * of_epoch)
        return min((limit for limit in limits if limit is not None), default=None)

    def shortened(self, spent: float) -> Duration:
        """Return what is left of a time budget when so many seconds of it are spent."""
        if self.seconds is None:
            return self
        return replace(self, seconds=max(self.seconds - spent, LEAST * self.seconds))

    def fraction(self, seconds: float, epochs: float, steps: int, reserve: float = 0.0) -> float:
        """Return the share that is done, 0 to 1, after so much time, so many passes and updates.

        A `reserve` of so many seconds is kept of a time budget for what comes after the last update.
        """
        budget = None if self.seconds is None else self.seconds - reserve
        pairs = ((seconds, budget), (epochs, self.epochs), (steps, self.steps))
        return min(max((done / limit for done, limit in pairs if limit is not None), default=0.0), 1.0)
