"""The language model: at every step, which token comes next.

Shapes: N sequences, T time, E embedding, H hidden, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import local

import numpy as np

from seqrnn.backends.numpy.activations import log_softmax
from seqrnn.backends.numpy.inputs import Lookup, take_embedding
from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.rnn import RNN, Layers
from seqrnn.backends.numpy.single_stream import SingleStreamDecoder
from seqrnn.backends.numpy.token_steps import TokenSteps
from seqrnn.backends.numpy.unrolled import UntraceableError
from seqrnn.backends.numpy.weights import Array, Take, within
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.dataset.batching import Batch


class LanguageModel:
    """Embedding, recurrent layers from left to right, and a score for every token."""

    def __init__(self, take: Take, config: ModelConfig, sizes: Mapping[str, int]) -> None:
        """Take the parameters; `sizes` holds `vocabulary`."""
        vocabulary_size, hidden_size = sizes["vocabulary"], config.hidden_size
        self._table = take_embedding(within(take, "embedding"), vocabulary_size, config.embedding_size)
        rnn_sizes = RNNSizes(config.embedding_size, hidden_size, config.num_layers)
        self._rnn = RNN(within(take, "rnn"), config.cell, rnn_sizes)
        self._steps = TokenSteps(self._table, self._rnn)
        features = config.embedding_size if config.tie_embeddings else hidden_size
        self._bridge = None
        if features != hidden_size:
            self._bridge = Linear.take(within(take, "bridge.1"), hidden_size, features)
        bias = take("output.bias", (vocabulary_size,))
        tied = config.tie_embeddings
        weight = self._table if tied else take("output.weight", (vocabulary_size, features))
        self._output = Linear(weight, bias)
        self._of_thread = local()

    def _single_stream(self) -> SingleStreamDecoder | None:
        """Return what writes one text in this thread: it computes in place, so each thread has its own.

        None unless there is one layer, with a formula that can be traced, its output and few enough tokens.
        """
        of_thread = self._of_thread.__dict__
        if "single_stream" not in of_thread:
            of_thread["single_stream"] = self._make_single_stream()
        single: SingleStreamDecoder | None = of_thread["single_stream"]
        return single

    def _make_single_stream(self) -> SingleStreamDecoder | None:
        inputs = self._steps.single_inputs
        if inputs is None or self._bridge is not None or len(self._rnn.layers) > 1:
            return None
        try:
            return SingleStreamDecoder(inputs, self._rnn.layers[0][0], self._output)
        except UntraceableError:
            return None

    def read(self, tokens: Array, states: Layers | None) -> tuple[Array, Layers]:
        """Read `tokens` (N, T), from nothing if `states` is None.

        Returns the next token's logits (N, V), and the states.
        """
        lengths = np.full(len(tokens), tokens.shape[1])
        _, states = self._rnn(Lookup.of(self._table, tokens), lengths, states)
        return self._predict(states[-1][0]), states

    def step(self, tokens: Array, states: Layers) -> tuple[Array, Layers]:
        """Read one more token of each sequence, (N,)."""
        if len(tokens) == 1 and (single := self._single_stream()) is not None:
            return single(tokens.item(), states)
        hidden, states = self._steps(tokens, states)
        return self._predict(hidden), states

    def log_likelihood(self, batch: Batch) -> Array:
        """Return the log-probability of `targets` (B, T) up to the `lengths`, (B,), in nats.

        Step by step, so that the scores of one step are all that is in memory.
        """
        inputs, targets, lengths = (batch.arrays[name] for name in ("inputs", "targets", "lengths"))
        hidden, _ = self._rnn(Lookup.of(self._table, inputs), lengths)
        total = np.zeros(len(targets), dtype=np.float32)
        for step in range(targets.shape[1]):
            rows = np.flatnonzero(lengths > step)
            places, index = np.unique(hidden.places[rows, step], return_inverse=True)
            log_probs = log_softmax(self._predict(hidden.vectors[places]))
            total[rows] += log_probs[index, targets[rows, step]]
        return total

    def to_arrays(self, states: Layers) -> Layers:
        """Return the states, which are arrays already."""
        return states

    def from_arrays(self, layers: Layers) -> Layers:
        """Return the states that `to_arrays` has returned."""
        return layers

    def _predict(self, hidden: Array) -> Array:
        """Return the next token's logits, (N, H) -> (N, V)."""
        features = hidden if self._bridge is None else self._bridge(hidden)
        return self._output(features)
