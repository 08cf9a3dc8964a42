"""One-to-one: what is read has no time steps, so nothing recurs.

Shapes: B batch, S places, E size of a place's vector, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from seqrnn.backends.torch.heads import build_head
from seqrnn.backends.torch.inputs import build_input
from seqrnn.backends.torch.judgements import Judgement, choose_judgement
from seqrnn.backends.torch.loss import PLAIN, Objective, Output
from seqrnn.backends.torch.rnn import Layers
from seqrnn.backends.torch.summary import Summary
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig


class FeedForward(nn.Module):
    """Places of an image, or the one of a vector, their summary and a head."""

    def __init__(self, embedding: nn.Module, reader: Summary, head: nn.Module, judge: Judgement) -> None:
        super().__init__()
        self.embedding = embedding
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
        places = self.embedding(arrays["source"])  # (B, S, E)
        scores = self.head(self.reader(places))  # (B, K)
        return self.judge(scores, arrays.get("labels"), objective)


def build_feed_forward(config: ModelConfig, sizes: Mapping[str, int], shrink: bool) -> FeedForward:  # noqa: ARG001
    """Make a network without recurrence; `sizes` holds what is read, `classes` and what judges them."""
    embedding, input_size = build_input(config, sizes)
    reader = Summary(RNNSizes(input_size, config.hidden_size, config.num_layers, dropout=config.dropout))
    head = build_head(config.head, config.hidden_size, sizes["classes"], config.dropout)
    return FeedForward(embedding, reader, head, choose_judgement(sizes))
