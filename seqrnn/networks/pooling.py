"""Poolings: from the hidden states of a sequence to one vector.

Every pooling takes the hidden states (B, T, H), zero where a sequence has ended, the top layer's last state
(B, H) and the lengths (B,), and returns (B, H); zero for an empty sequence.
"""

from __future__ import annotations

from collections.abc import Callable

from seqrnn.catalog import POOLINGS, load
from seqrnn.networks.ops import Ops, Value

Pooling = Callable[[Value, Value, Value], Value]
"""`(hidden states, last state, lengths) -> pooled`."""


class LastPooling:
    """The last state of each sequence."""

    def __init__(self, ops: Ops, size: int) -> None:
        """Need nothing."""

    def __call__(self, hidden: Value, last: Value, lengths: Value) -> Value:  # noqa: ARG002
        """Return `last`."""
        return last


class MeanPooling:
    """The mean over the steps that a sequence has."""

    def __init__(self, ops: Ops, size: int) -> None:  # noqa: ARG002
        self._ops = ops

    def __call__(self, hidden: Value, last: Value, lengths: Value) -> Value:  # noqa: ARG002
        """Return the mean."""
        return self._ops.mean_step(hidden, lengths)


class MaxPooling:
    """The largest value of each feature over the steps."""

    def __init__(self, ops: Ops, size: int) -> None:  # noqa: ARG002
        self._ops = ops

    def __call__(self, hidden: Value, last: Value, lengths: Value) -> Value:  # noqa: ARG002
        """Return the maximum."""
        return self._ops.largest_step(hidden, lengths)


class AttentionPooling:
    """A learnt weighing of the steps: `sum_t softmax_t(v . tanh(W h_t)) h_t` (Yang et al. 2016, eq. 5-7)."""

    def __init__(self, ops: Ops, size: int) -> None:
        self._ops = ops
        self._key = ops.within("key").linear(size, size)
        self._query = ops.within("query").linear(size, 1, bias=False)

    def __call__(self, hidden: Value, last: Value, lengths: Value) -> Value:  # noqa: ARG002
        """Return the weighed mean."""
        ops = self._ops
        scores = ops.per_step(hidden, self._score)  # (B, T)
        weights = ops.masked_softmax(scores, ops.mask(lengths, hidden))
        pooled = ops.weighted_sum(ops.insert_axis(weights, 1), ops.whole(hidden))  # (B, 1, H)
        return ops.remove_axis(pooled, 1)

    def _score(self, states: Value) -> Value:
        return self._ops.remove_axis(self._query(self._ops.tanh(self._key(states))), -1)


def build_pooling(ops: Ops, name: str, size: int) -> Pooling:
    """Make the pooling that a configuration names, for states of `size` features."""
    pooling: Pooling = load(POOLINGS[name])(ops, size)
    return pooling
