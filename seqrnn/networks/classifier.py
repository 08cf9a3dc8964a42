"""Many-to-one: read a sequence, pool its hidden states, score the classes (or one number).

Shapes: B batch, T time, F features, H hidden, D directions, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.networks.heads import build_head
from seqrnn.networks.inputs import build_input
from seqrnn.networks.ngrams import Ngrams
from seqrnn.networks.ops import Learns, Ops, Value
from seqrnn.networks.pooling import build_pooling
from seqrnn.networks.predictions import PREDICTIONS, Values
from seqrnn.networks.sizes import ClassifierSizes


class Classifier:
    """Embedding (or vectors as they are), recurrent layers, pooling and a head; n-grams beside them."""

    learns: ClassVar[Learns] = "labels"

    def __init__(self, ops: Ops, config: ModelConfig, sizes: ClassifierSizes) -> None:
        """Build it."""
        self._ops = ops
        self._embed, input_size = build_input(ops.within("embedding"), config, sizes.reads)
        rnn_sizes = RNNSizes(
            input_size, config.hidden_size, config.num_layers, config.bidirectional, config.dropout
        )
        self._directions, features = rnn_sizes.directions, rnn_sizes.output_size
        self._rnn = ops.within("rnn").rnn(config.cell, rnn_sizes)
        self._pool = build_pooling(ops.within("pooling"), config.pooling, features)
        self._head = build_head(ops.within("head"), config.head, features, sizes.classes, config.dropout)
        self._ngrams = None
        if sizes.ngrams is not None:
            self._ngrams = Ngrams(ops.within("ngrams"), sizes.ngrams, sizes.classes, config.ngram_dropout)
        self.prediction = PREDICTIONS[sizes.predicts]

    def scores(self, arrays: Mapping[str, Value]) -> Value:
        """Score `source`, tokens (B, T) or vectors (B, T, F), of `lengths` (B,) -> (B, K).

        N-grams are those of the tokens, and of `code_points` (B, C).
        """
        lengths = arrays["lengths"]
        hidden, states = self._rnn(self._embed(arrays["source"]), lengths)
        last = self._ops.concat([state[0] for state in states[-self._directions :]], axis=1)  # (B, D * H)
        scores = self._head(self._pool(hidden, last, lengths))
        return scores if self._ngrams is None else self._ops.add(scores, self._ngrams(arrays))

    def predict(self, scores: Value, arrays: Mapping[str, Value]) -> Values:  # noqa: ARG002
        """Return what answers are made from, of the scores (B, K) of a batch."""
        return self.prediction(self._ops, scores)
