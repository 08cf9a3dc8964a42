"""Recurrent layers over tokens that come one at a time.

Shapes: N sequences, E embedding, H hidden, P numbers of a projection, V vocabulary.
"""

from __future__ import annotations

from functools import cached_property

from seqrnn.backends.numpy.rnn import RNN, Layers
from seqrnn.backends.numpy.weights import Array

MAX_TABLE_SIZE = 2**20  # numbers in the inputs of all tokens, 4 MiB: what is made in a few milliseconds


class TokenSteps:
    """An embedding and the layers on it, of one direction, for one step after the other."""

    def __init__(self, table: Array, rnn: RNN) -> None:
        """Take the embedding `table` (V, E), and the layers that read its vectors."""
        self._table = table
        self._rnn = rnn

    @cached_property
    def _inputs(self) -> Array | None:
        """What each token brings to the first layer, (V, P), where the vocabulary is small."""
        layer = self._rnn.layers[0][0]
        small = len(self._table) * layer.projection_size <= MAX_TABLE_SIZE
        return layer.project_table(self._table) if small else None

    @cached_property
    def single_inputs(self) -> list[Array] | None:
        """The same, an array (1, P) for each token, cut out beforehand."""
        return None if self._inputs is None else [row[None] for row in self._inputs]

    def __call__(self, tokens: Array, states: Layers) -> tuple[Array, Layers]:
        """Read `tokens` (N,): the hidden states (N, H) of the last layer, and all states."""
        if len(tokens) == 1 and self.single_inputs is not None:
            return self._rnn.step(self.single_inputs[tokens.item()], states)
        inputs = self._inputs
        if inputs is None:
            return self._rnn.step(self._rnn.layers[0][0].project(self._table[tokens]), states)
        return self._rnn.step(inputs.take(tokens, axis=0), states)
