"""Many-to-many, aligned, with many labels a step: the notes of step t+1 from all up to t.

Shapes: B batch, T time, K keys, H hidden.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqrnn.backends.torch.heads import build_head
from seqrnn.backends.torch.inputs import VectorInput
from seqrnn.backends.torch.loss import PLAIN, Loss, Objective, Output, binary_cross_entropy
from seqrnn.backends.torch.rnn import RNN, Layers, sequence_mask
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig


class PolyphonyNetwork(nn.Module):
    """Recurrent layers, and a head that scores every key at every step."""

    recordable = False  # as a CUDA graph: how many steps are judged is known when they are computed

    def __init__(self, embedding: nn.Module, rnn: RNN, head: nn.Module) -> None:
        super().__init__()
        self.embedding = embedding
        self.rnn = rnn
        self.head = head

    def scores(self, notes: Tensor, lengths: Tensor) -> Tensor:
        """Score the keys after each step of `notes` (B, T, K) -> (B, T, K)."""
        hidden, _ = self.rnn(self.embedding(notes), lengths)
        scores: Tensor = self.head(hidden)
        return scores

    def forward(
        self,
        arrays: Mapping[str, Tensor],
        carry: Layers | None = None,  # noqa: ARG002
        objective: Objective = PLAIN,
    ) -> Output:
        """Foretell each step of `source` (B, T, K) but the first; `log_probs` (B, K) are of what follows.

        The loss is the sum over all keys, counted a step.
        """
        notes, lengths = arrays["source"], arrays["lengths"]
        scores = self.scores(notes, lengths)
        later = sequence_mask(lengths - 1, notes.shape[1] - 1, notes.device)  # (B, T - 1)
        loss = binary_cross_entropy(scores[:, :-1][later], notes[:, 1:][later], objective)
        last = (lengths - 1).clamp(min=0).to(scores.device)
        after = scores[torch.arange(len(last), device=scores.device), last]  # (B, K)
        steps = (lengths - 1).clamp(min=0).sum()
        return Output(Loss(loss, steps), {"log_probs": F.logsigmoid(after.float())})


def build_polyphony(config: ModelConfig, sizes: Mapping[str, int], shrink: bool) -> PolyphonyNetwork:
    """Make a model of music; `sizes` holds `features`, the number of keys."""
    rnn_sizes = RNNSizes(sizes["features"], config.hidden_size, config.num_layers, False, config.dropout)
    return PolyphonyNetwork(
        VectorInput(config.embedding_dropout),
        RNN(config.cell, rnn_sizes, shrink),
        build_head(config.head, config.hidden_size, sizes["features"], config.dropout),
    )
