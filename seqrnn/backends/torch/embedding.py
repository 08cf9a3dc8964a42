"""From token ids to vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqrnn.data.text.tokenizer import BLANK, UNK


class TokenEmbedding(nn.Module):
    """A vector a token; in training some tokens are hidden behind <unk>, so that <unk> is learnt."""

    def __init__(
        self, vocabulary_size: int, embedding_size: int, dropout: float, word_dropout: float
    ) -> None:
        super().__init__()
        self.table = _table(vocabulary_size, embedding_size)
        self.dropout = nn.Dropout(dropout)
        self.word_dropout = word_dropout

    def forward(self, tokens: Tensor) -> Tensor:
        """Look up `tokens` (...,) -> (..., E)."""
        if self.training and self.word_dropout:
            hidden = torch.rand(tokens.shape, device=tokens.device) < self.word_dropout
            tokens = tokens.masked_fill(hidden & (tokens != BLANK), UNK)
        vectors: Tensor = self.dropout(self.table(tokens))
        return vectors


def _table(vocabulary_size: int, embedding_size: int) -> nn.Embedding:
    """Make the vectors; of the meta device, which has no numbers, nothing is drawn.

    Drawing there would import PyTorch's compiler, which takes seconds.
    """
    if torch.get_default_device().type == "meta":
        return nn.Embedding(
            vocabulary_size, embedding_size, _weight=torch.empty(vocabulary_size, embedding_size)
        )
    table = nn.Embedding(vocabulary_size, embedding_size)
    nn.init.normal_(table.weight, std=0.1)
    return table
