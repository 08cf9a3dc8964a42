"""Many-to-many, aligned, with many labels a step: the notes of step t+1 from all up to t.

Shapes: B batch, T time, K keys.
"""

from __future__ import annotations

from collections.abc import Mapping

from seqrnn.backends.numpy.activations import log_sigmoid
from seqrnn.backends.numpy.heads import take_head
from seqrnn.backends.numpy.inputs import take_input
from seqrnn.backends.numpy.rnn import RNN
from seqrnn.backends.numpy.weights import Take, within
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.dataset.batching import Batch
from seqrnn.tasks.task import Values


class PolyphonyNetwork:
    """Recurrent layers, and a head that scores every key after the last step."""

    def __init__(self, take: Take, config: ModelConfig, sizes: Mapping[str, int]) -> None:
        """Take the parameters; `sizes` holds `features`, the number of keys."""
        keys, hidden_size = sizes["features"], config.hidden_size
        self._embed, _ = take_input(take, config, sizes)
        self._rnn = RNN(within(take, "rnn"), config.cell, RNNSizes(keys, hidden_size, config.num_layers))
        self._head = take_head(within(take, "head"), config.head, hidden_size, keys)

    def values(self, batch: Batch) -> Values:
        """Foretell what follows `source` (B, T, K): `log_probs` (B, K)."""
        notes, lengths = batch.arrays["source"], batch.arrays["lengths"]
        _, states = self._rnn(self._embed(notes), lengths)
        return {"log_probs": log_sigmoid(self._head(states[-1][0]))}
