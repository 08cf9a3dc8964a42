"""One-to-one: what is read has no time steps, so nothing recurs.

Shapes: B batch, F features, H hidden, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from seqrnn.config import ModelConfig
from seqrnn.engine.heads import build_head
from seqrnn.engine.judgements import Judgement, choose_judgement
from seqrnn.engine.loss import PLAIN, Objective, Output
from seqrnn.engine.rnn import Layers


class VectorReader(nn.Module):
    """Layers `h = relu(W x + b)` over one vector."""

    def __init__(self, features: int, hidden_size: int, num_layers: int, dropout: float) -> None:
        super().__init__()
        inputs = [features] + [hidden_size] * (num_layers - 1)
        self.layers = nn.ModuleList(nn.Linear(size, hidden_size) for size in inputs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, source: Tensor) -> Tensor:
        """Read `source` (B, 1, F) -> (B, H)."""
        x = source.squeeze(1).float()
        for depth, layer in enumerate(self.layers):
            x = self.dropout(x) if depth else x
            x = layer(x).relu()
        return x


class FeedForward(nn.Module):
    """A reader without time and a head."""

    def __init__(self, reader: nn.Module, head: nn.Module, judge: Judgement) -> None:
        super().__init__()
        self.reader = reader
        self.head = head
        self.judge = judge

    def forward(
        self,
        arrays: Mapping[str, Tensor],
        carry: Layers | None = None,  # noqa: ARG002
        objective: Objective = PLAIN,
    ) -> Output:
        """Answer a batch with `source` and, where known, `labels`."""
        scores = self.head(self.reader(arrays["source"]))  # (B, K)
        return self.judge(scores, arrays.get("labels"), objective)


def build_feed_forward(config: ModelConfig, sizes: Mapping[str, int], shrink: bool) -> FeedForward:  # noqa: ARG001
    """Make a network over one vector of `features`; `sizes` holds `classes` and what judges them."""
    reader = VectorReader(sizes["features"], config.hidden_size, config.num_layers, config.dropout)
    head = build_head(config.head, config.hidden_size, sizes["classes"], config.dropout)
    return FeedForward(reader, head, choose_judgement(sizes))
