"""From the input, tokens, vectors or an image, to a sequence of vectors.

Shapes: B batch, T time (or positions of an image), F features, E embedding.
"""

from __future__ import annotations

from seqrnn.config import ModelConfig
from seqrnn.data.fields.input_sizes import ImageSizes, InputSizes, TokenSizes, VectorSizes
from seqrnn.networks.ops import Map, Ops, Value


class VectorInput:
    """Vectors as they are: the first layer's own matrix takes the place of an embedding."""

    def __init__(self, ops: Ops, dropout: float) -> None:
        self._ops = ops
        self._dropout = ops.dropout(dropout)

    def __call__(self, vectors: Value) -> Value:
        """Return `vectors` (B, T, F), of any type, as floats; in training some values are dropped."""
        return self._dropout(self._ops.floats(vectors))


def build_input(ops: Ops, config: ModelConfig, sizes: InputSizes) -> tuple[Map, int]:
    """Make the input for tokens, vectors or images; return E as well."""
    match sizes:
        case ImageSizes():
            return ops.images(sizes.channels, sizes.side, config.channels)
        case VectorSizes():
            return VectorInput(ops, config.embedding_dropout), sizes.features
        case TokenSizes():
            return build_embedding(ops, config, sizes.vocabulary), config.embedding_size


def build_embedding(ops: Ops, config: ModelConfig, vocabulary: int) -> Map:
    """Make the embedding of what a model reads."""
    return ops.embedding(
        vocabulary,
        config.embedding_size,
        dropout=config.embedding_dropout,
        word_dropout=config.word_dropout,
        trained=not config.freeze_embeddings,
    )
