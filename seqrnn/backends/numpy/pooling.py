"""From the hidden states of a sequence to one vector.

Every pooling takes the hidden states (B, T, H) as a `Lookup`, zero where a sequence has ended, the top
layer's last state (B, H) and the lengths (B,), and returns (B, H).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from seqrnn.backends.numpy.activations import masked_softmax
from seqrnn.backends.numpy.inputs import Lookup
from seqrnn.backends.numpy.lengths import sequence_mask
from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.weights import Array, Take, within

Pooling = Callable[[Lookup, Array, Array], Array]


def last_state(hidden: Lookup, last: Array, lengths: Array) -> Array:  # noqa: ARG001
    """Return `last`."""
    return last


def mean(hidden: Lookup, last: Array, lengths: Array) -> Array:
    """Return the mean over the steps that a sequence has; zero for an empty one."""
    total = np.zeros_like(last)
    for rows, states in _steps(hidden, lengths):
        total[rows] += states
    pooled: Array = total / np.maximum(lengths, 1)[:, None].astype(np.float32)
    return pooled


def maximum(hidden: Lookup, last: Array, lengths: Array) -> Array:
    """Return the largest value of each feature over the steps; zero for an empty sequence."""
    pooled = np.zeros_like(last)
    for step, (rows, states) in enumerate(_steps(hidden, lengths)):
        pooled[rows] = np.maximum(pooled[rows], states) if step else states
    return pooled


def _steps(hidden: Lookup, lengths: Array) -> Iterator[tuple[Array | slice, Array]]:
    """Yield, for each step, the sequences that have it, and their states (N, H)."""
    shortest = lengths.min(initial=hidden.places.shape[1])
    for step in range(hidden.places.shape[1]):
        rows = slice(None) if step < shortest else np.flatnonzero(lengths > step)
        yield rows, hidden.vectors.take(hidden.places[rows, step], axis=0)


class AttentionPooling:
    """A learnt weighing of the steps: `sum_t softmax_t(v . tanh(W h_t)) h_t` (Yang et al. 2016, eq. 5-7)."""

    def __init__(self, take: Take, size: int) -> None:
        self._key = Linear.take(within(take, "key"), size, size)
        self._query = Linear.take(within(take, "query"), size, 1, bias=False)

    def __call__(self, hidden: Lookup, last: Array, lengths: Array) -> Array:
        """Return the weighed mean; zero for an empty sequence."""
        steps = hidden.places.shape[1]
        if steps == 0:
            return last
        scores = self._query(np.tanh(self._key(hidden.vectors)))[:, 0]  # (U,)
        weights = masked_softmax(scores.take(hidden.places), sequence_mask(lengths, steps))  # (B, T)
        pooled: Array = (weights[:, None] @ hidden.written_out())[:, 0]
        return pooled


def take_pooling(take: Take, name: str, size: int) -> Pooling:
    """Make the pooling that a configuration names, for states of `size` features."""
    if name == "attention":
        return AttentionPooling(take, size)
    return {"last": last_state, "mean": mean, "max": maximum}[name]
