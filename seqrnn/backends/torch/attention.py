"""Which of the encoder's states a decoder looks at: dot, general and mlp attention.

All steps of a target that is known are answered at once. Shapes: B batch, S source, T target, M size
of an encoder's state, H size of the decoder's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqrnn.backends.torch.attention_weights import note_weights


@dataclass(frozen=True)
class Memory:
    """What a decoder can look at: `values` by `keys` that are computed once, where `mask` is true."""

    keys: Tensor  # (B, S, H)
    values: Tensor  # (B, S, M)
    mask: Tensor  # (B, S)

    def rows(self, rows: Tensor) -> Memory:
        """Take `rows` (N,) of the batch."""
        return Memory(*(part.index_select(0, rows) for part in (self.keys, self.values, self.mask)))


class Attention(nn.Module):
    """A weighing of the memory by each query: `c_t = sum_s softmax_s(score(h_t, m_s)) m_s`.

    A subclass says what the score is. A sequence without memory has the context 0.
    """

    def __init__(self, memory_size: int, query_size: int) -> None:
        """Make the map from states to keys, which `general` and `mlp` attention learn."""
        super().__init__()
        self.keys: nn.Module = nn.Linear(memory_size, query_size, bias=False)

    def memorize(self, values: Tensor, mask: Tensor) -> Memory:
        """Prepare the encoder's states `values` (B, S, M), of which `mask` (B, S) tells the true ones."""
        return Memory(self.keys(values), values, mask)

    def score(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Compare queries (B, T, H) with keys (B, S, H) -> (B, T, S)."""
        return torch.bmm(queries, keys.transpose(1, 2))

    def forward(self, queries: Tensor, memory: Memory) -> Tensor:
        """Return the contexts (B, T, M) of `queries` (B, T, H); weights are computed in float32."""
        mask = memory.mask.unsqueeze(1)  # (B, 1, S)
        scores = self.score(queries, memory.keys).float()
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        weights = scores.softmax(dim=2) * mask  # (B, T, S)
        note_weights(weights)
        return torch.bmm(weights.to(memory.values.dtype), memory.values)


class DotAttention(Attention):
    """`score = h_t . m_s` (Luong et al. 2015, eq. 8, "dot").

    Where an encoder's states are not of the decoder's size, a linear map leads there first.
    """

    def __init__(self, memory_size: int, query_size: int) -> None:
        super().__init__(memory_size, query_size)
        if memory_size == query_size:
            self.keys = nn.Identity()


class GeneralAttention(Attention):
    """`score = h_t . W m_s` (Luong et al. 2015, eq. 8, "general")."""


class MLPAttention(Attention):
    """`score = v . tanh(W h_t + U m_s)` (Bahdanau et al. 2015, appendix A.1.2)."""

    def __init__(self, memory_size: int, query_size: int) -> None:
        super().__init__(memory_size, query_size)
        self.query = nn.Linear(query_size, query_size)
        self.energy = nn.Linear(query_size, 1, bias=False)

    def score(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Compare queries (B, T, H) with keys (B, S, H) -> (B, T, S), through (B, T, S, H)."""
        sums = self.query(queries).unsqueeze(2) + keys.unsqueeze(1)  # (B, T, S, H)
        scores: Tensor = self.energy(torch.tanh(sums)).squeeze(3)
        return scores


def build_attention(name: str, memory_size: int, query_size: int) -> Attention | None:
    """Make the attention that a configuration names; `none` is None."""
    kinds = {"dot": DotAttention, "general": GeneralAttention, "mlp": MLPAttention}
    return kinds[name](memory_size, query_size) if name in kinds else None
