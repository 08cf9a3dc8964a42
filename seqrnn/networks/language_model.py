"""The language model: at every step, which token comes next.

Shapes: B batch, T time, E embedding, H hidden, V vocabulary, N sequences.
"""

from __future__ import annotations

from typing import ClassVar

from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.fields.input_sizes import TokenSizes
from seqrnn.networks.inputs import build_embedding
from seqrnn.networks.ops import Layers, Learns, Ops, Value


class LanguageModel:
    """Embedding, recurrent layers from left to right, and a score for every token.

    Tied embeddings score a token with the vector that also represents it at the input (Press and Wolf 2017);
    where the sizes differ, a linear projection leads from the hidden state to that space.
    """

    learns: ClassVar[Learns] = "text"

    def __init__(self, ops: Ops, config: ModelConfig, sizes: TokenSizes) -> None:
        """Build it."""
        self._ops = ops
        ops.order("embedding", "rnn", "bridge", "output")
        hidden_size, vocabulary = config.hidden_size, sizes.vocabulary
        self.embed = build_embedding(ops.within("embedding"), config, vocabulary)
        features = config.embedding_size if config.tie_embeddings else hidden_size
        tied = self.embed if config.tie_embeddings else None
        self.output = ops.within("output").linear(features, vocabulary, tied_to=tied)
        self._dropout, self.projection = ops.dropout(config.dropout), None
        if features != hidden_size:
            self.projection = ops.within("bridge.1").linear(hidden_size, features)
        rnn_sizes = RNNSizes(config.embedding_size, hidden_size, config.num_layers, dropout=config.dropout)
        self.rnn = ops.within("rnn").rnn(config.cell, rnn_sizes)

    def hidden(self, tokens: Value, lengths: Value, states: Layers | None = None) -> tuple[Value, Layers]:
        """Read `tokens` (B, T) of `lengths` (B,), after what led to `states`: (B, T, H), and the states."""
        return self.rnn(self.embed(tokens), lengths, states)

    def step(self, tokens: Value, states: Layers) -> tuple[Value, Layers]:
        """Read `tokens` (N,) after what led to `states`: the next token's logits (N, V), and the states."""
        hidden, states = self.rnn.step(self.embed(tokens), states)
        return self._ops.floats(self.score(hidden)), states

    def score(self, hidden: Value) -> Value:
        """Score the next token: hidden states (..., H) -> logits (..., V)."""
        return self.output(self.features(hidden))

    def features(self, hidden: Value) -> Value:
        """Return what the next token is scored by: hidden states (..., H) -> (..., F)."""
        hidden = self._dropout(hidden)
        return hidden if self.projection is None else self.projection(hidden)
