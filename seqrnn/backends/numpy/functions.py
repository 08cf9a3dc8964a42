"""The functions of `networks/ops.py` in NumPy.

A sequence of states is a `Lookup`, in which equal steps are computed once.

Shapes: B batch, T time, Q queries, H hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from seqrnn.backends.numpy.inputs import Lookup, TokenVectors
from seqrnn.backends.numpy.lengths import sequence_mask
from seqrnn.backends.numpy.weights import Array
from seqrnn.networks.ops import Map
from seqrnn.search.step import log_softmax

LOWEST = np.finfo(np.float32).min
MOST_ROWS = 2**12  # that are read at a time: a long row of words may hold as many different ones


class NumpyFunctions:
    """Functions of arrays."""

    def floats(self, x: Array) -> Array:
        return x.astype(np.float32, copy=False)

    def tanh(self, x: Array) -> Array:
        found: Array = np.tanh(x)
        return found

    def tanh_of_sum(self, x: Array, y: Array) -> Array:
        total: Array = x + y
        np.tanh(total, out=total)
        return total

    def relu(self, x: Array) -> Array:
        found: Array = np.maximum(x, 0.0)
        return found

    def log_softmax(self, x: Array) -> Array:
        return log_softmax(x)

    def log_sigmoid(self, x: Array) -> Array:
        log_probs: Array = -np.logaddexp(np.float32(0.0), -x)
        return log_probs

    def concat(self, parts: Sequence[Array | TokenVectors], axis: int) -> Array:
        return np.concatenate([self.whole(part) for part in parts], axis=axis)

    def insert_axis(self, x: Array, axis: int) -> Array:
        return np.expand_dims(x, axis)

    def remove_axis(self, x: Array, axis: int) -> Array:
        return x.squeeze(axis)

    def unflatten(self, x: Array, shape: tuple[int, ...]) -> Array:
        """Give each row of `x` (B, N) a shape: (B, *shape)."""
        return x.reshape(-1, *shape)

    def rows(self, x: Array, index: Array) -> Array:
        found: Array = x[index]
        return found

    def grouped(self, x: Array, sources: Array) -> Array:
        return x.reshape(len(sources), -1, x.shape[1])

    def ungrouped(self, x: Array) -> Array:
        return x.reshape(-1, x.shape[2])

    def tokens_like(self, token: int, like: Array) -> Array:
        return np.full(len(like), token)

    def mask(self, lengths: Array, like: Array | Lookup) -> Array:
        return sequence_mask(lengths, like.shape[1])

    def everywhere(self, like: Array) -> Array:
        return np.ones(like.shape[:2], dtype=np.bool_)

    def whole(self, hidden: Array | Lookup | TokenVectors) -> Array:
        return hidden if isinstance(hidden, np.ndarray) else hidden.written_out()

    def per_step(self, hidden: Lookup, function: Map) -> Lookup:
        return Lookup(function(hidden.vectors), hidden.places)

    def mean_step(self, hidden: Lookup, lengths: Array) -> Array:
        total = np.zeros((len(lengths), hidden.vectors.shape[1]), dtype=np.float32)
        for rows, states in _steps(hidden, lengths):
            total[rows] += states
        pooled: Array = total / np.maximum(lengths, 1)[:, None].astype(np.float32)
        return pooled

    def largest_step(self, hidden: Lookup, lengths: Array) -> Array:
        pooled = np.zeros((len(lengths), hidden.vectors.shape[1]), dtype=np.float32)
        for step, (rows, states) in enumerate(_steps(hidden, lengths)):
            pooled[rows] = np.maximum(pooled[rows], states) if step else states
        return pooled

    def largest_place(self, places: Array) -> Array:
        largest: Array = places.max(axis=1)
        return largest

    def masked_softmax(self, scores: Array | Lookup, mask: Array) -> Array:
        kept = np.where(mask, self.whole(scores), LOWEST)
        weights: Array = np.exp(kept - kept.max(axis=-1, keepdims=True, initial=LOWEST)) * mask
        total = weights.sum(axis=-1, keepdims=True)
        weights /= np.where(total > 0.0, total, np.float32(1.0))
        return weights

    def scores(self, queries: Array, keys: Array) -> Array:
        scores: Array = queries @ keys.swapaxes(1, 2)
        return scores

    def weighted_sum(self, weights: Array, values: Array) -> Array:
        sums: Array = weights @ values
        return sums

    def likeliest(self, scores: Array) -> tuple[Array, Array]:
        return scores.max(axis=-1), scores.argmax(axis=-1)

    def chosen(self, scores: Array, index: Array) -> Array:
        return np.take_along_axis(scores, index[:, :, None], axis=2)[:, :, 0]

    def sum_of_steps(self, x: Array, mask: Array) -> Array:
        total: Array = (x * mask).sum(axis=1)
        return total

    def in_parts(self, read: Callable[[Array, Array], Array], rows: Array, lengths: Array) -> Array:
        if len(rows) <= MOST_ROWS:
            return read(rows, lengths)
        parts = [slice(start, start + MOST_ROWS) for start in range(0, len(rows), MOST_ROWS)]
        return np.concatenate([read(rows[part, : lengths[part][0]], lengths[part]) for part in parts])


def _steps(hidden: Lookup, lengths: Array) -> Iterator[tuple[Array | slice, Array]]:
    """Yield, for each step, the sequences that have it, and their states (N, H)."""
    shortest = lengths.min(initial=hidden.places.shape[1])
    for step in range(hidden.places.shape[1]):
        rows = slice(None) if step < shortest else np.flatnonzero(lengths > step)
        yield rows, hidden.vectors.take(hidden.places[rows, step], axis=0)
