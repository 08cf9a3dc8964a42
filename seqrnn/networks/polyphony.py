"""Many-to-many, aligned, with many labels a step: the notes of step t+1 from all up to t.

Shapes: B batch, T time, K keys, H hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.fields.input_sizes import VectorSizes
from seqrnn.networks.heads import build_head
from seqrnn.networks.inputs import build_input
from seqrnn.networks.ops import Learns, Ops, Value
from seqrnn.networks.predictions import Prediction, Values, several_labels


class Polyphony:
    """Recurrent layers, and a head that scores every key at every step."""

    learns: ClassVar[Learns] = "notes"

    def __init__(self, ops: Ops, config: ModelConfig, sizes: VectorSizes) -> None:
        """Build it; the features are the keys."""
        self._ops = ops
        self._embed, keys = build_input(ops.within("embedding"), config, sizes)
        rnn_sizes = RNNSizes(keys, config.hidden_size, config.num_layers, dropout=config.dropout)
        self._rnn = ops.within("rnn").rnn(config.cell, rnn_sizes)
        self._head = build_head(ops.within("head"), config.head, config.hidden_size, keys, config.dropout)
        self.prediction: Prediction = several_labels

    def step_scores(self, arrays: Mapping[str, Value]) -> Value:
        """Score the keys after each step of `source` (B, T, K) -> (B, T, K)."""
        hidden, _ = self._rnn(self._embed(arrays["source"]), arrays["lengths"])
        return self._ops.per_step(hidden, self._head)

    def scores(self, arrays: Mapping[str, Value]) -> Value:
        """Score the keys after the last step of `source` (B, T, K) -> (B, K)."""
        _, states = self._rnn(self._embed(arrays["source"]), arrays["lengths"])
        return self._head(states[-1][0])

    def predict(self, scores: Value, arrays: Mapping[str, Value]) -> Values:  # noqa: ARG002
        """Return what answers are made from, of the scores (B, K) of a batch."""
        return self.prediction(self._ops, scores)
