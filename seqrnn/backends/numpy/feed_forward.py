"""One-to-one: what is read has no time steps, so nothing recurs.

Shapes: B batch, F features.
"""

from __future__ import annotations

from collections.abc import Mapping

from seqrnn.backends.numpy.heads import take_head
from seqrnn.backends.numpy.inputs import as_vectors
from seqrnn.backends.numpy.judgements import choose_judgement
from seqrnn.backends.numpy.summary import Summary
from seqrnn.backends.numpy.weights import Take, within
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.dataset.batching import Batch
from seqrnn.tasks.task import Values


class FeedForward:
    """The summary of one vector, and a head."""

    def __init__(self, take: Take, config: ModelConfig, sizes: Mapping[str, int]) -> None:
        """Take the parameters; `sizes` holds what is read, `classes` and what judges them."""
        reads = RNNSizes(sizes["features"], config.hidden_size, config.num_layers)
        self._summarize = Summary(within(take, "reader"), reads)
        self._head = take_head(within(take, "head"), config.head, config.hidden_size, sizes["classes"])
        self._judge = choose_judgement(sizes)

    def values(self, batch: Batch) -> Values:
        """Judge the `source` (B, 1, F)."""
        return self._judge(self._head(self._summarize(as_vectors(batch.arrays["source"]))))
