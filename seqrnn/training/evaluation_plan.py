"""When a training is measured: often enough to see it learn, and not so often that it does not."""

from __future__ import annotations

import math

from seqrnn.config import TrainingConfig
from seqrnn.training.duration import Duration

MAX_GAP = 2000  # updates between two evaluations, however large the data
MIN_EVALUATIONS = 10  # evaluations of a training, unless they cost too much of it
MIN_GAP = 10  # updates between two evaluations within an epoch, where these bound the training
FORWARD = 1 / 3  # of what updates with as much data take: an evaluation's time, until one was measured
SHARE = 0.05  # of the time between evaluations that one may take
SMALL_RESERVE = 0.1  # of a time budget, in which there is room for all evaluations at its end
MAX_RESERVE = 0.5  # of it that is kept for the last evaluation alone
SLACK = 1.02  # times a time budget that a training may last with its last figures
MAX_SHARE = 0.1  # of the time between them, where there would be fewer than `MIN_EVALUATIONS`


class EvaluationPlan:
    """Says when an evaluation is due.

    That is after each epoch and after `MAX_GAP` updates, and in a training of less than an epoch ten
    times. With a time budget, it is as often as the cost of an evaluation allows, and after each tenth
    of the budget unless that would cost too much of it.
    """

    def __init__(
        self, config: TrainingConfig, duration: Duration, batches_per_epoch: int, passes: float = 0.0
    ) -> None:
        """Plan a training whose evaluations go forward `passes` times as often as one of its epochs."""
        self._as_updates = passes * batches_per_epoch / config.accumulate
        self._every = config.evaluate_every
        self._budget = duration.seconds
        self._gap = min(MAX_GAP, _tenth(config, duration, batches_per_epoch))
        self._ended, self._cost = 0.0, 0.0  # of the last evaluation, in seconds; before the first as expected
        self._measured = False

    def begin(self, seconds: float, duration: Duration) -> None:
        """Take note that a training of this length begins, or goes on, so many seconds after its start."""
        self._ended, self._budget = seconds, duration.seconds

    def measured(self, ended: float, cost: float) -> None:
        """Take note of an evaluation that has ended so many seconds after the start, and of its cost."""
        self._ended, self._cost, self._measured = ended, cost, True

    def reserve(self, ending: float) -> float:
        """Return the seconds to keep of a time budget for an evaluation, and for another one if it is small.

        That one takes `ending` times as long. Before the first one, what it takes is told by the updates.
        """
        if self._budget is None:
            return 0.0
        both = (1.0 + ending) * self._cost
        return both if both <= SMALL_RESERVE * self._budget else min(self._cost, MAX_RESERVE * self._budget)

    def has_time(self, seconds: float, ending: float) -> bool:
        """Whether a time budget allows an evaluation `ending` times as long as others after so much time."""
        return self._budget is None or seconds + ending * self._cost <= SLACK * self._budget

    def is_due(self, gap: int, epoch_ended: bool, seconds: float) -> bool:
        """Whether to evaluate `gap` updates after the last evaluation, `seconds` after the start."""
        if self._every is not None:
            return gap >= self._every
        due = gap > 0 and (epoch_ended or gap >= self._gap)
        if self._budget is None:
            return due
        waited = seconds - self._ended
        if not self._measured and gap:
            self._cost = FORWARD * self._as_updates * waited / gap
        is_late = gap > 0 and waited >= self._budget / MIN_EVALUATIONS
        return (due and waited >= self._cost / SHARE) or (is_late and waited >= self._cost / MAX_SHARE)


def evaluations_in(config: TrainingConfig, batches_per_epoch: int, updates: float) -> int:
    """Return about how many evaluations so many updates have, where their cost does not matter."""
    if math.isinf(updates):
        return MIN_EVALUATIONS
    gap = config.evaluate_every or min(
        MAX_GAP,
        _tenth(config, Duration.of(config), batches_per_epoch),
        -(-batches_per_epoch // config.accumulate),
    )
    return max(round(updates / max(gap, 1)), 1)


def _tenth(config: TrainingConfig, duration: Duration, batches_per_epoch: int) -> int:
    """Return a tenth of the updates of a training that ends within an epoch, else as many as anything."""
    an_epoch = -(-batches_per_epoch // config.accumulate)
    updates = duration.updates(an_epoch)
    planned = an_epoch if updates is None else int(updates)
    return MAX_GAP if planned >= an_epoch else max(MIN_GAP, planned // MIN_EVALUATIONS)
