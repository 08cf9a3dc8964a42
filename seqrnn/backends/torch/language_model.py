"""The language model: at every step, which token comes next.

Shapes: B batch, T time, E embedding, H hidden, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqrnn.backends.torch.embedding import TokenEmbedding, build_embedding
from seqrnn.backends.torch.filled import full_lengths
from seqrnn.backends.torch.loss import PLAIN, Loss, Objective, Output, cross_entropy
from seqrnn.backends.torch.rnn import RNN, Layers, detach, sequence_mask
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.text.tokenizer import BLANK


class LanguageModel(nn.Module):
    """Embedding, recurrent layers from left to right, and a score for every token."""

    def __init__(self, embedding: TokenEmbedding, rnn: RNN, bridge: nn.Module, output: nn.Linear) -> None:
        super().__init__()
        self.embedding = embedding
        self.rnn = rnn
        self.bridge = bridge
        self.output = output

    def score(self, hidden: Tensor) -> Tensor:
        """Score the next token: hidden states (..., H) -> logits (..., V)."""
        logits: Tensor = self.output(self.bridge(hidden))
        return logits

    def forward(
        self, arrays: Mapping[str, Tensor], carry: Layers | None = None, objective: Objective = PLAIN
    ) -> Output:
        """Predict `targets` (B, T) from `inputs` (B, T); <blank> targets do not count.

        `carry` is the state after the segment before; the state returned is cut off from its
        graph, which is what truncates back-propagation through time.
        """
        x = self.embedding(arrays["inputs"])
        hidden, states = self.rnn(x, arrays["lengths"], carry)
        logits = self.score(hidden).flatten(0, 1)  # (B * T, V)
        targets = arrays["targets"].flatten()
        loss = cross_entropy(logits, targets, objective, ignore=BLANK)
        return Output(Loss(loss, arrays["lengths"].sum()), {}, detach(states))

    def token_logits(self, arrays: Mapping[str, Tensor]) -> Tensor:
        """Score every token at each step of `inputs` (B, T): (B, T, V)."""
        hidden, _ = self.rnn(self.embedding(arrays["inputs"]), arrays["lengths"])
        return self.score(hidden)

    def log_likelihood(self, arrays: Mapping[str, Tensor]) -> Tensor:
        """Return the log-probability of `targets` (B, T), given `inputs`, up to the `lengths`: (B,).

        Step by step, so that the scores of one step are all that is in memory.
        """
        targets, lengths = arrays["targets"], arrays["lengths"]
        hidden, _ = self.rnn(self.embedding(arrays["inputs"]), lengths)
        gained = [
            -F.cross_entropy(self.score(hidden[:, step]).float(), targets[:, step], reduction="none")
            for step in range(targets.shape[1])
        ]
        mask = sequence_mask(lengths, targets.shape[1], targets.device)
        return (torch.stack(gained, dim=1) * mask).sum(dim=1)

    def initial(self, rows: int) -> Layers:
        """Return the state in which a text begins, each array (rows, H)."""
        return self.rnn.initial(rows)

    def step(self, tokens: Tensor, states: Layers) -> tuple[Tensor, Layers]:
        """Read `tokens` (N,) and return the next token's logits (N, V) and the new states."""
        hidden, states = self.rnn.step(self.embedding(tokens), states)
        return self.score(hidden).float(), states

    def read(self, tokens: Tensor, states: Layers | None = None) -> tuple[Tensor, Layers]:
        """Read a prompt `tokens` (N, T) at once: the last step's logits (N, V) and states."""
        lengths = full_lengths(tokens.shape[0], tokens.shape[1], tokens.device)
        hidden, states = self.rnn(self.embedding(tokens), lengths, states)
        return self.score(hidden[:, -1]).float(), states


def build_language_model(config: ModelConfig, sizes: Mapping[str, int], shrink: bool) -> LanguageModel:
    """Make a language model; `sizes` holds `vocabulary`.

    Tied embeddings score a token with the vector that also stands for it at the input (Press and
    Wolf 2017); where the sizes differ, a linear map leads from the hidden state to that space.
    """
    rnn_sizes = RNNSizes(config.embedding_size, config.hidden_size, config.num_layers, False, config.dropout)
    embedding = build_embedding(config, sizes["vocabulary"])
    features = config.embedding_size if config.tie_embeddings else config.hidden_size
    output = nn.Linear(features, sizes["vocabulary"])
    if config.tie_embeddings:
        output.weight = embedding.table.weight
    bridge: list[nn.Module] = [nn.Dropout(config.dropout)]
    if features != config.hidden_size:
        bridge.append(nn.Linear(config.hidden_size, features))
    return LanguageModel(embedding, RNN(config.cell, rnn_sizes, shrink), nn.Sequential(*bridge), output)
