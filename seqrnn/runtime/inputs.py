"""From what is read at each step, a token or a vector, to what enters a recurrent layer.

Shapes: B batch, T time, F features, E embedding, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from seqrnn.config import ModelConfig
from seqrnn.runtime.weights import Array, Take

Input = Callable[[Array], Array]
"""`(B, T) or (B, T, F) -> (B, T, E)`."""


def take_embedding(take: Take, vocabulary_size: int, embedding_size: int) -> Array:
    """Take the table of a vector a token, (V, E)."""
    return take("table.weight", (vocabulary_size, embedding_size))


def take_input(take: Take, config: ModelConfig, sizes: Mapping[str, int]) -> tuple[Input, int]:
    """Make the input for tokens of a `vocabulary`, or vectors of so many `features`; return its size."""
    if "features" in sizes:
        return _as_they_are, sizes["features"]
    table = take_embedding(take, sizes["vocabulary"], config.embedding_size)
    return table.__getitem__, config.embedding_size


def _as_they_are(vectors: Array) -> Array:
    """Take vectors of any type."""
    return vectors.astype(np.float32, copy=False)
