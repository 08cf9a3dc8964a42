"""Many-to-one: read a sequence, sum it up, score the classes (or one number).

Shapes: B batch, T time, E embedding, H hidden, D directions, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from seqrnn.backends.torch.heads import build_head
from seqrnn.backends.torch.inputs import build_input
from seqrnn.backends.torch.judgements import Judgement, choose_judgement, judge_one_label
from seqrnn.backends.torch.loss import PLAIN, Objective, Output
from seqrnn.backends.torch.pooling import build_pooling
from seqrnn.backends.torch.rnn import RNN, Layers, sequence_mask
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig


class Classifier(nn.Module):
    """Embedding (or vectors as they are), recurrent layers, pooling and a head."""

    def __init__(self, embedding: nn.Module, rnn: RNN, pooling: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.embedding = embedding
        self.rnn = rnn
        self.pooling = pooling
        self.head = head
        self.judge: Judgement = judge_one_label

    def logits(self, source: Tensor, lengths: Tensor) -> Tensor:
        """Score `source`, tokens (B, T) or vectors (B, T, F), of `lengths` (B,) -> (B, K)."""
        x = self.embedding(source)  # (B, T, E)
        outputs, states = self.rnn(x, lengths)
        last = self._last(states)  # (B, D * H)
        mask = sequence_mask(lengths, source.shape[1], source.device)  # (B, T)
        logits: Tensor = self.head(self.pooling(outputs, last, mask))
        return logits

    def _last(self, states: Layers) -> Tensor:
        """Join the top layer's last h of each direction."""
        directions = self.rnn.sizes.directions
        return torch.cat([state[0] for state in states[-directions:]], dim=1)

    def forward(
        self,
        arrays: Mapping[str, Tensor],
        carry: Layers | None = None,  # noqa: ARG002
        objective: Objective = PLAIN,
    ) -> Output:
        """Answer a batch with `source`, `lengths` and, where known, `labels`: (B,), or (B, K) of 0/1."""
        logits = self.logits(arrays["source"], arrays["lengths"])
        return self.judge(logits, arrays.get("labels"), objective)


def build_classifier(config: ModelConfig, sizes: Mapping[str, int], shrink: bool) -> Classifier:
    """Make a classifier; `sizes` holds what is read, `classes` and what judges them."""
    embedding, input_size = build_input(config, sizes)
    rnn_sizes = RNNSizes(
        input_size, config.hidden_size, config.num_layers, config.bidirectional, config.dropout
    )
    features = rnn_sizes.output_size
    model = Classifier(
        embedding,
        RNN(config.cell, rnn_sizes, shrink),
        build_pooling(config.pooling, features),
        build_head(config.head, features, sizes["classes"], config.dropout),
    )
    model.judge = choose_judgement(sizes)
    return model
