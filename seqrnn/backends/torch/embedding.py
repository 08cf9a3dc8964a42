"""From token ids to vectors."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqrnn.backends.torch.dropout import Dropout, dropout
from seqrnn.data.text.tokenizer import BLANK, UNK


class Lookup(NamedTuple):
    """Where vectors were read: `tokens` (...,) of a `table` (V, E)."""

    table: Tensor
    tokens: Tensor


def lookup_of(vectors: Tensor) -> Lookup | None:
    """Return where vectors (..., E) were read, if that was noted."""
    found: Lookup | None = getattr(vectors, "read_from", None)
    return found


def note_lookup(vectors: Any, lookup: Lookup) -> None:
    """Note where vectors (..., E) were read, for layers that can do with fewer of them."""
    vectors.read_from = lookup


class TokenEmbedding(nn.Module):
    """A vector a token; in training some tokens are replaced by <unk>, so that <unk> is learnt."""

    def __init__(
        self, vocabulary_size: int, embedding_size: int, dropout: float, word_dropout: float
    ) -> None:
        super().__init__()
        self.table = _table(vocabulary_size, embedding_size)
        if not self.table.weight.is_meta:
            nn.init.normal_(self.table.weight, std=0.1)
        self.dropout = Dropout(dropout)
        self.word_dropout = word_dropout

    def forward(self, tokens: Tensor) -> Tensor:
        """Look up `tokens` (...,) -> (..., E)."""
        if self.training and self.word_dropout:
            hidden = torch.rand(tokens.shape, device=tokens.device) < self.word_dropout
            tokens = tokens.masked_fill(hidden & (tokens != BLANK), UNK)
        vectors: Tensor = self.dropout(self.table(tokens))
        if not (self.training and self.dropout.p):
            note_lookup(vectors, Lookup(self.table.weight, tokens))
        return vectors


def _table(rows: int, size: int) -> nn.Embedding:
    """Make vectors; of the meta device, which has no numbers, none is drawn.

    Drawing there would import PyTorch's compiler, which takes seconds.
    """
    if torch.get_default_device().type == "meta":
        return nn.Embedding(rows, size, _weight=torch.empty(rows, size))
    return nn.Embedding(rows, size)


class SumOfRows(nn.Module):
    """The sum of rows of a table over the root of their number; in training some are left out."""

    def __init__(self, rows: int, size: int, dropout: float) -> None:
        super().__init__()
        self.table = _table(rows, size)
        nn.init.zeros_(self.table.weight)
        self.dropout = dropout

    def forward(self, numbers: Tensor) -> Tensor:
        """Sum the rows `numbers` (B, F) but for 0 -> (B, size)."""
        present = (numbers != BLANK).float()
        counted = present.sum(dim=1, keepdim=True).clamp(min=1.0)
        kept = dropout(present, self.dropout, self.training) * counted.rsqrt()
        table = self.table.weight
        total: Tensor = F.embedding_bag(numbers, table, per_sample_weights=kept.to(table.dtype), mode="sum")
        return total
