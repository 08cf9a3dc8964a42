"""From the hidden states of a sequence to one vector.

Every pooling takes the outputs (B, T, H), zero where a sequence has ended, the top layer's last
state (B, H) and the mask (B, T), true where a sequence runs, and returns (B, H).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from seqrnn.runtime.activations import LOWEST, masked_softmax
from seqrnn.runtime.linear import Linear
from seqrnn.runtime.weights import Array, Take, within

Pooling = Callable[[Array, Array, Array], Array]


def last_state(outputs: Array, last: Array, mask: Array) -> Array:  # noqa: ARG001
    """Return `last`."""
    return last


def mean(outputs: Array, last: Array, mask: Array) -> Array:  # noqa: ARG001
    """Return the mean over the steps that a sequence has; zero for an empty one."""
    steps = np.maximum(mask.sum(axis=1, keepdims=True), 1).astype(np.float32)
    pooled: Array = outputs.sum(axis=1) / steps
    return pooled


def maximum(outputs: Array, last: Array, mask: Array) -> Array:
    """Return the largest value of each feature over the steps; zero for an empty sequence."""
    if outputs.shape[1] == 0:
        return last
    pooled = np.where(mask[:, :, None], outputs, LOWEST).max(axis=1)
    return np.where(mask.any(axis=1, keepdims=True), pooled, np.float32(0.0))


class AttentionPooling:
    """A learnt weighing of the steps: `sum_t softmax_t(v . tanh(W h_t)) h_t` (Yang et al. 2016, eq. 5-7)."""

    def __init__(self, take: Take, size: int) -> None:
        self._key = Linear.take(within(take, "key"), size, size)
        self._query = Linear.take(within(take, "query"), size, 1, bias=False)

    def __call__(self, outputs: Array, last: Array, mask: Array) -> Array:
        """Return the weighed mean; zero for an empty sequence."""
        if outputs.shape[1] == 0:
            return last
        scores = self._query(np.tanh(self._key(outputs)))[:, :, 0]  # (B, T)
        weights = masked_softmax(scores, mask)
        pooled: Array = (weights[:, None] @ outputs)[:, 0]
        return pooled


def take_pooling(take: Take, name: str, size: int) -> Pooling:
    """Make the pooling that a configuration names, for states of `size` features."""
    if name == "attention":
        return AttentionPooling(take, size)
    return {"last": last_state, "mean": mean, "max": maximum}[name]
