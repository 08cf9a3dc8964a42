"""Many-to-one: read a sequence, sum it up, score the classes.

Shapes: B batch, T time, E embedding, H hidden, D directions, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from seqrnn.config import ModelConfig
from seqrnn.engine.embedding import TokenEmbedding, build_embedding
from seqrnn.engine.heads import build_head
from seqrnn.engine.loss import PLAIN, Loss, Objective, Output, binary_cross_entropy, cross_entropy
from seqrnn.engine.pooling import build_pooling
from seqrnn.engine.rnn import RNN, Layers, RNNSizes, running


class Classifier(nn.Module):
    """Embedding, recurrent layers, pooling and a head."""

    def __init__(self, embedding: TokenEmbedding, rnn: RNN, pooling: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.embedding = embedding
        self.rnn = rnn
        self.pooling = pooling
        self.head = head
        self.multi_label = False

    def logits(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Score `tokens` (B, T) of `lengths` (B,) -> (B, K)."""
        x = self.embedding(tokens)  # (B, T, E)
        outputs, states = self.rnn(x, lengths)
        last = self._last(states)  # (B, D * H)
        mask = running(lengths, tokens.shape[1], tokens.device)  # (B, T)
        logits: Tensor = self.head(self.pooling(outputs, last, mask))
        return logits

    def _last(self, states: Layers) -> Tensor:
        """Join the top layer's last h of each direction."""
        directions = 2 if self.rnn.sizes.bidirectional else 1
        return torch.cat([state[0] for state in states[-directions:]], dim=1)

    def forward(
        self,
        arrays: Mapping[str, Tensor],
        carry: Layers | None = None,  # noqa: ARG002
        objective: Objective = PLAIN,
    ) -> Output:
        """Answer a batch with `source`, `lengths` and, where known, `labels`: (B,), or (B, K) of 0/1."""
        logits = self.logits(arrays["source"], arrays["lengths"])
        labels = arrays.get("labels")
        if self.multi_label:
            log_probs = nn.functional.logsigmoid(logits.float())
            loss = None if labels is None else binary_cross_entropy(logits, labels, objective)
        else:
            log_probs = logits.float().log_softmax(dim=1)
            loss = None if labels is None else cross_entropy(logits, labels, objective)
        count = logits.shape[0]
        return Output(None if loss is None else Loss(loss, count), {"log_probs": log_probs})


def build_classifier(config: ModelConfig, sizes: Mapping[str, int], shrink: bool) -> Classifier:
    """Make a classifier; `sizes` holds `vocabulary`, `classes` and `multi_label` (0 or 1)."""
    rnn_sizes = RNNSizes(
        config.embedding_size, config.hidden_size, config.num_layers, config.bidirectional, config.dropout
    )
    features = rnn_sizes.output_size
    model = Classifier(
        build_embedding(config, sizes["vocabulary"]),
        RNN(config.cell, rnn_sizes, shrink),
        build_pooling(config.pooling, features),
        build_head(config.head, features, sizes["classes"], config.dropout),
    )
    model.multi_label = bool(sizes["multi_label"])
    return model
