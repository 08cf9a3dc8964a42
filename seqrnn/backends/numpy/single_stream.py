"""One text that is written token by token, with as little around the arithmetic as can be.

What a step makes of its state h is multiplied twice: by the output's weights, for the scores of the next
token, and in the next step by `W_h`. Here the two matrices stand below one another, and both are one product.

Shapes: H hidden, G gates, V vocabulary.
"""

from __future__ import annotations

import numpy as np
from numpy import dot

from seqrnn.backends.numpy.layer import Layer
from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.rnn import Layers
from seqrnn.backends.numpy.unrolled import unroll
from seqrnn.backends.numpy.weights import Array, aligned


class SingleStreamDecoder:
    """The steps of one layer and of the output on it, for one sequence and in one thread."""

    def __init__(self, inputs: list[Array], layer: Layer, output: Linear) -> None:
        """Take what each token brings to the layer, (1, G * H), and what scores its state, with a bias."""
        assert output.bias is not None
        self._inputs = inputs
        self._weights = aligned((layer.rows + len(output.weight), output.weight.shape[1]))
        np.concatenate([layer.w_h, output.weight], out=self._weights)  # (G * H + V, H)
        self._bias: Array = output.bias
        self._product = aligned((1, len(self._weights)))
        self._row = self._product[0]
        self._from_state, self._scores = self._product[:, : layer.rows], self._product[:, layer.rows :]
        self._late_bias = layer.late_bias
        self._advance = unroll(layer.cell, self._from_state)
        self._multiplied: Array | None = None  # the h whose product this is

    def __call__(self, token: int, states: Layers) -> tuple[Array, Layers]:
        """Read one more token: the next one's logits (1, V), and the state of the layer."""
        (state,) = states
        if state[0] is not self._multiplied:
            self._multiply(state[0])
        state = self._advance(self._inputs[token], *state)
        self._multiply(state[0])
        return self._scores + self._bias, [state]

    def _multiply(self, h: Array) -> None:
        dot(self._weights, h[0], self._row)
        if self._late_bias is not None:
            self._from_state += self._late_bias
        self._multiplied = h
