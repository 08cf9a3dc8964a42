"""From what is read, tokens, vectors or an image, to a sequence of vectors.

Shapes: B batch, T time (or places of an image), F features, E embedding.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from seqrnn.backends.torch.cnn import CNN
from seqrnn.backends.torch.embedding import TokenEmbedding, build_embedding
from seqrnn.config import ModelConfig


class VectorInput(nn.Module):
    """Vectors as they are: the first layer's own matrix takes the place of an embedding."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return `vectors` (B, T, F), of any type, as floats; in training some values are dropped."""
        x: Tensor = self.dropout(vectors.float())
        return x


def build_input(
    config: ModelConfig, sizes: Mapping[str, int]
) -> tuple[TokenEmbedding | VectorInput | CNN, int]:
    """Make the input for tokens of a `vocabulary`, vectors of so many `features`, or images; return E.

    Images have `channels` and a `side`.
    """
    if "channels" in sizes:
        images = CNN(sizes["channels"], sizes["side"], config.channels)
        return images, images.size
    if "features" in sizes:
        return VectorInput(config.embedding_dropout), sizes["features"]
    return build_embedding(config, sizes["vocabulary"]), config.embedding_size
