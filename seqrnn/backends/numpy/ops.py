"""What a network is described with, in NumPy: its layers take their parameters by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from seqrnn.backends.numpy.crf import CRF
from seqrnn.backends.numpy.inputs import MOST_BROUGHT, IndexedSequence, TokenVectors
from seqrnn.backends.numpy.lengths import sequence_mask
from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.rnn import RNN, Layers
from seqrnn.backends.numpy.token_steps import TokenSteps
from seqrnn.backends.numpy.weights import Array, Take, within
from seqrnn.cells.sizes import RNNSizes
from seqrnn.data.text.vocabulary import BLANK
from seqrnn.networks.hashing import hashed, windows
from seqrnn.networks.ops import Map
from seqrnn.search.step import log_softmax

EPSILON = 1e-5  # added to a variance, as PyTorch's LayerNorm has it
LOWEST = np.finfo(np.float32).min
MOST_ROWS = 2**12  # that are read at a time: a long row of words may hold as many different ones


class NumpyOps:
    """Makes the layers of one part of a network."""

    def __init__(self, take: Take) -> None:
        """Take what hands out the parameters of the part."""
        self._take = take

    def within(self, part: str) -> NumpyOps:
        return NumpyOps(within(self._take, part))

    def order(self, *parts: str) -> None:
        """Do nothing: parameters are found by their names."""

    def linear(
        self, inputs: int, outputs: int, bias: bool = True, tied_to: Embedding | None = None
    ) -> Linear:
        """Make `y = W x + b`."""
        if tied_to is not None:
            return Linear(tied_to.table, self._take("bias", (outputs,)))
        return Linear.take(self._take, inputs, outputs, bias)

    def norm(self, size: int) -> Norm:
        return Norm(self._take("weight", (size,)), self._take("bias", (size,)))

    def embedding(self, vocabulary: int, size: int, **training: Any) -> Embedding:  # noqa: ARG002
        return Embedding(self._take("table.weight", (vocabulary, size)))

    def sum_of_rows(self, rows: int, size: int, dropout: float) -> SumOfRows:  # noqa: ARG002
        return SumOfRows(self._take("table.weight", (rows, size)))

    def images(self, channels: int, side: int, width: int) -> NoReturn:
        raise NotImplementedError

    def rnn(self, cell: str, sizes: RNNSizes) -> Recurrence:
        return Recurrence(RNN(self._take, cell, sizes))

    def crf(self, tags: int) -> CRF:
        return CRF(self._take, tags)

    def dropout(self, share: float) -> Map:  # noqa: ARG002
        return lambda x: x

    def zero_states(self, rnn: Recurrence, like: Array) -> Layers:
        return rnn.layers.initial(len(like))

    def floats(self, x: Array) -> Array:
        return x.astype(np.float32, copy=False)

    def add(self, x: Array, y: Array) -> Array:
        total: Array = x + y
        return total

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

    def mask(self, lengths: Array, like: Array | IndexedSequence) -> Array:
        return sequence_mask(lengths, like.shape[1])

    def everywhere(self, like: Array) -> Array:
        return np.ones(like.shape[:2], dtype=np.bool_)

    def whole(self, hidden: Array | IndexedSequence | TokenVectors) -> Array:
        return hidden if isinstance(hidden, np.ndarray) else hidden.dense()

    def per_step(self, hidden: IndexedSequence, function: Map) -> IndexedSequence:
        return IndexedSequence(function(hidden.vectors), hidden.index)

    def mean_step(self, hidden: IndexedSequence, lengths: Array) -> Array:
        total = np.zeros((len(lengths), hidden.vectors.shape[1]), dtype=np.float32)
        for rows, states in _steps(hidden, lengths):
            total[rows] += states
        pooled: Array = total / np.maximum(lengths, 1)[:, None].astype(np.float32)
        return pooled

    def largest_step(self, hidden: IndexedSequence, lengths: Array) -> Array:
        pooled = np.zeros((len(lengths), hidden.vectors.shape[1]), dtype=np.float32)
        for step, (rows, states) in enumerate(_steps(hidden, lengths)):
            pooled[rows] = np.maximum(pooled[rows], states) if step else states
        return pooled

    def max_over_positions(self, hidden: Array) -> Array:
        largest: Array = hidden.max(axis=1)
        return largest

    def present(self, tokens: Array) -> Array:
        mask: Array = tokens != BLANK
        return mask

    def kept(self, tokens: Array, mask: Array) -> Array:
        found: Array = tokens * mask
        return found

    def windows(self, x: Array, size: int) -> list[Array]:
        return windows(x, size)

    def hashed(self, parts: Sequence[Array], buckets: int) -> Array:
        found: Array = hashed(parts, buckets)
        return found

    def masked_softmax(self, scores: Array | IndexedSequence, mask: Array) -> Array:
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


class Embedding:
    """A vector a token."""

    def __init__(self, table: Array) -> None:
        self.table = table

    def __call__(self, tokens: Array) -> TokenVectors:
        """Look up `tokens` (...); what reads the vectors says how."""
        return TokenVectors(self.table, tokens)


class SumOfRows:
    """The sum of rows of a table over the root of their number."""

    def __init__(self, table: Array) -> None:
        self._table = table

    def __call__(self, numbers: Array) -> Array:
        """Sum the rows `numbers` (B, F) but for 0 -> (B, size)."""
        present = numbers != BLANK
        sums = [self._table[row[counts]].sum(axis=0) for row, counts in zip(numbers, present, strict=True)]
        counted = np.maximum(present.sum(axis=1), 1).astype(np.float32)
        total: Array = np.array(sums).reshape(-1, self._table.shape[1]) / np.sqrt(counted)[:, None]
        return total


class Recurrence:
    """Recurrent layers, which read a sequence in whatever form it is."""

    def __init__(self, layers: RNN) -> None:
        self.layers = layers
        self._first = layers.layers[0][0]
        self._token_steps: TokenSteps | None = None

    def __call__(
        self, x: Array | TokenVectors, lengths: Array, states: Layers | None = None
    ) -> tuple[IndexedSequence, Layers]:
        """Read `x` (B, T, E) of `lengths` (B,): the hidden states of the last layer, and the last states."""
        return self.layers(
            x.lookup(MOST_BROUGHT // self._first.projection_size) if isinstance(x, TokenVectors) else x,
            lengths,
            states,
        )

    def step(self, x: Array | TokenVectors, states: Layers) -> tuple[Array, Layers]:
        """Read one step `x` (B, E)."""
        if isinstance(x, TokenVectors):
            return self.token_steps(x.table)(x.tokens, states)
        return self.layers.step(self._first.project(x), states)

    def token_steps(self, table: Array) -> TokenSteps:
        """Return what reads tokens of a table one at a time; it is the same table every time."""
        if self._token_steps is None:
            self._token_steps = TokenSteps(table, self.layers)
        return self._token_steps


class Norm:
    """Layer normalization over the last axis."""

    def __init__(self, scale: Array, shift: Array) -> None:
        self._scale = scale
        self._shift = shift

    def __call__(self, x: Array) -> Array:
        """Normalize (..., H)."""
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        found: Array = centred / np.sqrt(variance + EPSILON) * self._scale + self._shift
        return found


def _steps(hidden: IndexedSequence, lengths: Array) -> Iterator[tuple[Array | slice, Array]]:
    """Yield, for each step, the sequences that have it, and their states (N, H)."""
    shortest = lengths.min(initial=hidden.index.shape[1])
    for step in range(hidden.index.shape[1]):
        rows = slice(None) if step < shortest else np.flatnonzero(lengths > step)
        yield rows, hidden.vectors.take(hidden.index[rows, step], axis=0)
