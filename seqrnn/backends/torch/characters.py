"""Words by their spelling: the last states of a network that reads the characters from both ends.

Shapes: U spellings, C characters, E embedding, H hidden.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqrnn.backends.torch.embedding import TokenEmbedding
from seqrnn.backends.torch.rnn import RNN
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig

MOST_WORDS = 2**12  # whose characters are read at a time: a long row may hold as many different ones


class CharacterEncoder(nn.Module):
    """One layer in both directions over the characters of each word (Ling et al. 2015)."""

    def __init__(self, embedding: TokenEmbedding, rnn: RNN, dropout: float) -> None:
        super().__init__()
        self.embedding = embedding
        self.rnn = rnn
        self.dropout = nn.Dropout(dropout)

    @property
    def output_size(self) -> int:
        """Size of a word's vector, 2 * H."""
        return self.rnn.sizes.output_size

    def forward(self, spellings: Tensor, lengths: Tensor) -> Tensor:
        """Read `spellings` (U, C) of `lengths` (U,), the longest first -> (U, 2 * H)."""
        if self.training or len(spellings) <= MOST_WORDS:
            return self._read(spellings, lengths)
        parts = zip(torch.split(spellings, MOST_WORDS), torch.split(lengths, MOST_WORDS), strict=True)
        return torch.cat([self._read(part[:, : int(sizes[0])], sizes) for part, sizes in parts])

    def _read(self, spellings: Tensor, lengths: Tensor) -> Tensor:
        _, (forward, backward) = self.rnn(self.embedding(spellings), lengths)
        vectors: Tensor = self.dropout(torch.cat([forward[0], backward[0]], dim=1))
        return vectors


def build_characters(config: ModelConfig, vocabulary_size: int, shrink: bool) -> CharacterEncoder:
    """Make the network over characters that a configuration describes."""
    size = config.character_embedding_size
    embedding = TokenEmbedding(vocabulary_size, size, dropout=0.0, word_dropout=0.0)
    sizes = RNNSizes(size, config.character_size, bidirectional=True)
    return CharacterEncoder(embedding, RNN(config.cell, sizes, shrink), config.dropout)
