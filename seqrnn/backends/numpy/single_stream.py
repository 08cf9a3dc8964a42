"""One text that is written token by token, with as little around the arithmetic as can be.

The output h of a step is multiplied several times: by the output layer's weights, for the scores of the next
token, and in the next step by matrices of the cell such as `W_h`. Here all these matrices are stacked into
one, and there is one product.

Shapes: H hidden, P numbers of a projection, M rows of the cell's matrices, V vocabulary.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy import dot

from seqrnn.backends.numpy.layer import Layer
from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.rnn import Layers
from seqrnn.backends.numpy.unrolled import trace
from seqrnn.backends.numpy.weights import Array, aligned


class SingleStreamDecoder:
    """The steps of one layer and of the output on it, for one sequence and in one thread."""

    def __init__(self, inputs: list[Array], layer: Layer, output: Linear) -> None:
        """Take what each token brings to the layer, (1, P), and what scores its output h, with a bias.

        Raises UntraceableError where the cell's formula cannot be worked out beforehand.
        """
        assert output.bias is not None
        self._inputs = inputs
        self._bias: Array = output.bias
        step = trace(layer, 1)
        matrices = [matrix.T for matrix in step.products_of_output.values()] + [output.weight]
        bounds = [0, *itertools.accumulate(map(len, matrices))]
        self._weights = aligned((bounds[-1], output.weight.shape[1]))
        np.concatenate(matrices, out=self._weights)  # (M + V, H)
        product = aligned((1, len(self._weights)))
        *products, self._scores = (product[:, start:stop] for start, stop in itertools.pairwise(bounds))
        self._row = product[0]
        self._advance = step.function(dict(zip(step.products_of_output, products, strict=True)))
        self._multiplied: Array | None = None  # the h whose product this is

    def __call__(self, token: int, states: Layers) -> tuple[Array, Layers]:
        """Read one more token: the next one's logits (1, V), and the state of the layer."""
        (state,) = states
        if state[0] is not self._multiplied:
            dot(self._weights, state[0][0], self._row)
        state = self._advance(self._inputs[token], *state)
        h = self._multiplied = state[0]
        dot(self._weights, h[0], self._row)
        return self._scores + self._bias, [state]
