"""When a training has gone astray: its losses tell, and half the rate from sound weights is the remedy.

AdamW at a rate that is too high for a network either leaves the finite numbers, or saturates the gates and
stays at the loss of counting, from which it does not come back.
"""

from __future__ import annotations

MAX_ROLLBACKS = 3  # of a training
BLOCK = 50  # updates whose mean loss is looked at
LEARNT = 0.9  # of the loss of counting: below, something was learnt
LOST = 0.99  # of it: above, nothing is left of that
PATIENCE = 6  # blocks at the loss of counting, after which a text is not being learnt
STUCK = 0.97  # of it: above, nothing has been learnt
HIGH_RATE = 1e-3  # below it, a training that has learnt nothing yet is slow


class LossWatch:
    """Looks at the loss of each update; `counting` is that of the best answer without looking at the input.

    Texts are always learnt soon, so one that stays at the loss of counting has gone astray as well. Other
    data may have nothing to be learnt, or keep it for long.
    """

    def __init__(self, counting: float | None, learns_soon: bool) -> None:
        self._counting = counting
        self._learns_soon = learns_soon
        self._sum, self._updates, self._blocks = 0.0, 0, 0
        self._lowest = float("inf")

    def look(self, loss: float, rate: float) -> str | None:
        """Take in the loss of an update, nats a target; say what is wrong, if it is since this update."""
        self._sum, self._updates = self._sum + loss, self._updates + 1
        if self._counting is None or self._updates < BLOCK:
            return None
        mean, self._sum, self._updates = self._sum / self._updates, 0.0, 0
        self._blocks, self._lowest = self._blocks + 1, min(self._lowest, mean)
        level = f"{mean:.3f}, that of counting ({self._counting:.3f})"
        if self._lowest < LEARNT * self._counting and mean > LOST * self._counting:
            return f"the loss has risen from {self._lowest:.3f} to {level}"
        stuck = self._blocks >= PATIENCE and self._lowest > STUCK * self._counting and rate >= HIGH_RATE
        return f"the loss stays at {level}" if stuck and self._learns_soon else None

    def begin_anew(self) -> None:
        """Forget all losses."""
        self._sum, self._updates, self._blocks, self._lowest = 0.0, 0, 0, float("inf")
