"""One-to-one: the input has no time steps, so nothing recurs.

Shapes: B batch, S positions (1 for a vector), E size of a position's vector, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.networks.grid_encoder import PooledMLP
from seqrnn.networks.heads import build_head
from seqrnn.networks.inputs import build_input
from seqrnn.networks.ops import Learns, Ops, Value
from seqrnn.networks.predictions import PREDICTIONS, Values
from seqrnn.networks.sizes import ClassifierSizes


class FeedForward:
    """Positions of an image, or the one of a vector, pooled, and a head."""

    learns: ClassVar[Learns] = "labels"

    def __init__(self, ops: Ops, config: ModelConfig, sizes: ClassifierSizes) -> None:
        """Build it."""
        self._ops = ops
        self._embed, size = build_input(ops.within("embedding"), config, sizes.reads)
        reads = RNNSizes(size, config.hidden_size, config.num_layers, dropout=config.dropout)
        self._pool = PooledMLP(ops.within("reader"), reads)
        self._head = build_head(
            ops.within("head"), config.head, config.hidden_size, sizes.classes, config.dropout
        )
        self.prediction = PREDICTIONS[sizes.predicts]

    def scores(self, arrays: Mapping[str, Value]) -> Value:
        """Score the `source` of a batch -> (B, K)."""
        return self._head(self._pool(self._embed(arrays["source"])))

    def predict(self, scores: Value, arrays: Mapping[str, Value]) -> Values:  # noqa: ARG002
        """Return what answers are made from, of the scores (B, K) of a batch."""
        return self.prediction(self._ops, scores)
