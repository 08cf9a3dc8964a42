"""What is read without recurrence, such as one vector, summed up in one state.

Shapes: B batch, S places (1 for a vector), E size of a place's vector, H hidden.
"""

from __future__ import annotations

import numpy as np

from seqrnn.backends.numpy.inputs import Lookup
from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.rnn import Layers
from seqrnn.backends.numpy.weights import Array, Take, within
from seqrnn.cells.sizes import RNNSizes

EPSILON = 1e-5  # added to a variance, as PyTorch's LayerNorm has it


class Summary:
    """Layers `h = relu(W x + b)` over each place, and then the largest value of each feature."""

    def __init__(self, take: Take, sizes: RNNSizes) -> None:
        inputs = [sizes.input_size] + [sizes.hidden_size] * (sizes.num_layers - 1)
        self._layers = [
            Linear.take(within(take, f"layers.{depth}"), size, sizes.hidden_size)
            for depth, size in enumerate(inputs)
        ]

    def __call__(self, places: Array) -> Array:
        """Sum up `places` (B, S, E) -> (B, H)."""
        x = places
        for layer in self._layers:
            x = np.maximum(layer(x), 0.0)
        largest: Array = x.max(axis=1)
        return largest


class PlacesEncoder:
    """Stands where an `RNN` reads a sequence: the places are the memory, their summary every last state."""

    def __init__(self, take: Take, sizes: RNNSizes, arrays: int) -> None:
        """Take the parameters, for decoder's layers of these sizes, whose state has so many arrays."""
        self._summary = Summary(within(take, "summary"), sizes)
        self._scale = take("norm.weight", (sizes.hidden_size,))
        self._shift = take("norm.bias", (sizes.hidden_size,))
        self._arrays = arrays
        self._depth = sizes.num_layers

    def __call__(self, places: Array, lengths: Array) -> tuple[Lookup, Layers]:  # noqa: ARG002
        """Read `places` (B, S, E): the memory, which they are themselves, and a last state a layer."""
        summary = self._summary(places)
        centred = summary - summary.mean(axis=1, keepdims=True)
        variance = (centred**2).mean(axis=1, keepdims=True)
        last = centred / np.sqrt(variance + EPSILON) * self._scale + self._shift  # (B, H)
        return Lookup.all(places), [(last,) * self._arrays] * self._depth
