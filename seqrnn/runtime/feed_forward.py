"""One-to-one: what is read has no time steps, so nothing recurs.

Shapes: B batch, F features.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from seqrnn.config import ModelConfig
from seqrnn.data.batching import Batch
from seqrnn.runtime.heads import take_head
from seqrnn.runtime.judgements import choose_judgement
from seqrnn.runtime.linear import Linear
from seqrnn.runtime.weights import Take, within
from seqrnn.tasks.task import Values


class FeedForward:
    """Layers `h = relu(W x + b)` over one vector, and a head."""

    def __init__(self, take: Take, config: ModelConfig, sizes: Mapping[str, int]) -> None:
        """Take the parameters; `sizes` holds `features`, `classes` and what judges them."""
        size = config.hidden_size
        inputs = [sizes["features"]] + [size] * (config.num_layers - 1)
        self._layers = [
            Linear.take(within(take, f"reader.layers.{depth}"), inputs[depth], size)
            for depth in range(config.num_layers)
        ]
        self._head = take_head(within(take, "head"), config.head, size, sizes["classes"])
        self._judge = choose_judgement(sizes)

    def values(self, batch: Batch) -> Values:
        """Judge the `source` (B, 1, F)."""
        x = batch.arrays["source"][:, 0].astype(np.float32, copy=False)
        for layer in self._layers:
            x = np.maximum(layer(x), 0.0)
        return self._judge(self._head(x))
