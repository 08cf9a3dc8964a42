"""Many-to-one: read a sequence, sum it up, score the classes (or one number).

Shapes: B batch, T time, H hidden, D directions.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from seqrnn.backends.numpy.heads import take_head
from seqrnn.backends.numpy.inputs import take_input
from seqrnn.backends.numpy.judgements import choose_judgement
from seqrnn.backends.numpy.pooling import take_pooling
from seqrnn.backends.numpy.rnn import RNN
from seqrnn.backends.numpy.weights import Take, within
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.dataset.batching import Batch
from seqrnn.tasks.task import Values


class Classifier:
    """Embedding (or vectors as they are), recurrent layers, pooling and a head."""

    def __init__(self, take: Take, config: ModelConfig, sizes: Mapping[str, int]) -> None:
        """Take the parameters; `sizes` holds what is read, `classes` and what judges them."""
        self._embed, input_size = take_input(within(take, "embedding"), config, sizes)
        rnn_sizes = RNNSizes(input_size, config.hidden_size, config.num_layers, config.bidirectional)
        features = rnn_sizes.output_size
        self._rnn = RNN(within(take, "rnn"), config.cell, rnn_sizes)
        self._pool = take_pooling(within(take, "pooling"), config.pooling, features)
        self._head = take_head(within(take, "head"), config.head, features, sizes["classes"])
        self._judge = choose_judgement(sizes)

    def values(self, batch: Batch) -> Values:
        """Judge the `source`, tokens (B, T) or vectors (B, T, F), of `lengths` (B,)."""
        source, lengths = batch.arrays["source"], batch.arrays["lengths"]
        hidden, states = self._rnn(self._embed(source), lengths)
        top = states[-self._rnn.sizes.directions :]
        last = np.concatenate([state[0] for state in top], axis=1)  # (B, D * H)
        return self._judge(self._head(self._pool(hidden, last, lengths)))
