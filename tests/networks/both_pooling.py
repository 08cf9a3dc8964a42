"""A pooling that seqrnn does not have, as somebody would add it: one file, and one line in the catalogue."""

from __future__ import annotations

from seqrnn.networks.ops import Ops, Value


class BothPooling:
    """`tanh(mean + max)` over the steps of a sequence."""

    def __init__(self, ops: Ops, size: int) -> None:
        self._ops = ops

    def __call__(self, hidden: Value, last: Value, lengths: Value) -> Value:
        """Return it."""
        mean, largest = (of(hidden, lengths) for of in (self._ops.mean_step, self._ops.largest_step))
        return self._ops.tanh_of_sum(mean, largest)
