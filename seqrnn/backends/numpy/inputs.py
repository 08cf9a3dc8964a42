"""From the input of each step, a token or a vector, to what enters a recurrent layer.

Shapes: B batch, T time, F features, E embedding, V vocabulary, U different tokens of a batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from seqrnn.backends.numpy.weights import Array

MOST_BROUGHT = 2**24  # numbers that a layer makes of all vectors at once, 64 MiB


class IndexedSequence(Struct, frozen=True):
    """Steps that read the vectors of a table by their index, (B, T, E): many steps read the same one.

    What a layer makes of an input is computed once for each vector, wherever it is read.
    """

    vectors: Array  # (U, E)
    index: Array  # (B, T), which of them each step reads
    is_whole_table: bool = False  # whether the vectors are those of all batches

    @classmethod
    def of(cls, table: Array, tokens: Array) -> IndexedSequence:
        """Look the different ones of `tokens` (B, T) up in a table (V, E)."""
        if tokens.size < len(table) // 8:
            different, index = np.unique(tokens, return_inverse=True)
            return cls(table[different], index.reshape(tokens.shape))
        used = np.zeros(len(table), dtype=np.bool_)  # sorting many tokens takes longer
        used[tokens] = True
        return cls(table[used], (np.cumsum(used) - 1)[tokens])

    @classmethod
    def all(cls, vectors: Array) -> IndexedSequence:
        """Take vectors (B, T, E) as they are, every one as different from the others."""
        size, steps, features = vectors.shape
        return cls(vectors.reshape(-1, features), np.arange(size * steps).reshape(size, steps))

    @property
    def shape(self) -> tuple[int, ...]:
        """Batch and time, (B, T)."""
        return self.index.shape

    def dense(self) -> Array:
        """Return the vector of every step, (B, T, E)."""
        return self.vectors.take(self.index, axis=0)


class TokenVectors(Struct, frozen=True):
    """The vectors of tokens in a table, (B, T, E), that are yet to be looked up."""

    table: Array  # (V, E)
    tokens: Array  # (B, T)

    def lookup(self, most: int) -> IndexedSequence:
        """Look them up for a layer that can keep what it makes of `most` vectors.

        To many tokens the table is handed out as a whole: what a layer makes of all its vectors is then
        worth keeping for the batches to come. The batch alone decides, so that the last digits of an answer
        depend neither on earlier batches nor on other threads.
        """
        if len(self.table) <= min(most, 4 * self.tokens.size):
            return IndexedSequence(self.table, self.tokens, is_whole_table=True)
        return IndexedSequence.of(self.table, self.tokens)

    def dense(self) -> Array:
        """Return the vector of every step, (B, T, E)."""
        vectors: Array = self.table[self.tokens]
        return vectors


def joined(parts: Sequence[IndexedSequence]) -> IndexedSequence:
    """Concatenate the vectors of each step, (B, T, E) each -> (B, T, sum of E)."""
    size = sum(part.vectors.shape[1] for part in parts)
    whole = np.empty((*parts[0].index.shape, size), dtype=np.float32)
    start = 0
    for part in parts:
        stop = start + part.vectors.shape[1]
        whole[:, :, start:stop] = part.dense()
        start = stop
    return IndexedSequence.all(whole)
