"""From what is read at each step, a token or a vector, to what enters a recurrent layer.

Shapes: B batch, T time, F features, E embedding, V vocabulary, U different tokens of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seqrnn.backends.numpy.weights import Array, Take
from seqrnn.catalog import CELLS, load
from seqrnn.config import ModelConfig

MOST_BROUGHT = 2**24  # numbers that a layer makes of all vectors at once, 64 MiB


@dataclass(frozen=True)
class Lookup:
    """Steps that read the vectors of a table, (B, T, E), not written out: many steps read the same one.

    What a layer makes of an input is computed once for each vector, wherever it is read.
    """

    vectors: Array  # (U, E)
    places: Array  # (B, T), which of them each step reads
    lasting: bool = False  # whether the vectors are those of all batches

    @classmethod
    def of(cls, table: Array, tokens: Array) -> Lookup:
        """Look the different ones of `tokens` (B, T) up in a table (V, E)."""
        if tokens.size < len(table) // 8:
            different, places = np.unique(tokens, return_inverse=True)
            return cls(table[different], places.reshape(tokens.shape))
        used = np.zeros(len(table), dtype=np.bool_)  # sorting many tokens takes longer
        used[tokens] = True
        return cls(table[used], (np.cumsum(used) - 1)[tokens])

    @classmethod
    def all(cls, vectors: Array) -> Lookup:
        """Take vectors (B, T, E) as they are, every one as different from the others."""
        size, steps, features = vectors.shape
        return cls(vectors.reshape(-1, features), np.arange(size * steps).reshape(size, steps))

    def written_out(self) -> Array:
        """Return the vector of every step, (B, T, E)."""
        return self.vectors.take(self.places, axis=0)


class Embedding:
    """Looks tokens up in a table.

    To a batch of many tokens it is handed out as a whole: what a layer makes of all its vectors is then
    worth keeping for the batches to come. The batch alone decides, so that the last digits of an answer
    depend neither on what was read before nor on other threads.
    """

    def __init__(self, table: Array, most: int) -> None:
        """Take the table (V, E), from which a layer can keep what it makes of `most` vectors."""
        self._table = table
        self._most = most

    def __call__(self, tokens: Array) -> Lookup:
        """Look up `tokens` (B, T)."""
        if len(self._table) <= min(self._most, 4 * tokens.size):
            return Lookup(self._table, tokens, lasting=True)
        return Lookup.of(self._table, tokens)


def joined(parts: Sequence[Lookup]) -> Lookup:
    """Put the vectors of each step behind one another, (B, T, E) each -> (B, T, sum of E)."""
    size = sum(part.vectors.shape[1] for part in parts)
    whole = np.empty((*parts[0].places.shape, size), dtype=np.float32)
    start = 0
    for part in parts:
        stop = start + part.vectors.shape[1]
        whole[:, :, start:stop] = part.written_out()
        start = stop
    return Lookup.all(whole)


Input = Callable[[Array], Array | Lookup]
"""`(B, T) or (B, T, F) -> (B, T, E)`, written out or as a `Lookup`."""


def take_embedding(take: Take, vocabulary_size: int, embedding_size: int) -> Array:
    """Take the table of a vector a token, (V, E)."""
    return take("table.weight", (vocabulary_size, embedding_size))


def take_input(take: Take, config: ModelConfig, sizes: Mapping[str, int]) -> tuple[Input, int]:
    """Make the input for tokens of a `vocabulary`, or vectors of so many `features`; return its size."""
    if "features" in sizes:
        return as_vectors, sizes["features"]
    table = take_embedding(take, sizes["vocabulary"], config.embedding_size)
    projection_size = load(CELLS[config.cell]).projection_size(config.hidden_size)
    return Embedding(table, MOST_BROUGHT // projection_size), config.embedding_size


def as_vectors(vectors: Array) -> Array:
    """Take vectors of any type."""
    return vectors.astype(np.float32, copy=False)
