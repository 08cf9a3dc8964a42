"""How what an encoder has read enters a decoder: as its first state, or as its first input.

Shapes: B batch, E embedding, H hidden, D directions of the encoder.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.rnn import RNN, Layers
from seqrnn.backends.numpy.weights import Array, Take, within
from seqrnn.catalog import CELLS, load
from seqrnn.cells.cell import Shape
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig

Entry = Callable[[Layers, RNN], Layers]
"""`(last states of an encoder, recurrent layers of the decoder) -> first states of the decoder`."""


class Bridge:
    """The decoder's first states: `s = tanh(W [forward; backward] + b)`."""

    def __init__(self, take: Take, shapes: Sequence[Shape], sizes: RNNSizes) -> None:
        """Take a `W` and `b` for each layer of the encoder and each of the arrays of its state."""
        self._shapes = shapes
        self._directions = sizes.directions
        self._maps = [
            [
                Linear.take(within(take, f"layers.{depth}.{number}"), sizes.output_size, math.prod(shape))
                for number, shape in enumerate(shapes)
            ]
            for depth in range(sizes.num_layers)
        ]

    def __call__(self, last: Layers, decoder: RNN) -> Layers:  # noqa: ARG002
        """Map the last states of an encoder's layers and directions to the states of a decoder's layers."""
        first: Layers = []
        for depth, maps in enumerate(self._maps):
            arrays = _join(last[depth * self._directions : (depth + 1) * self._directions])
            state = []
            for shape, map_, array in zip(self._shapes, maps, arrays, strict=True):
                read = array if shape == self._shapes[0] else arrays[0]  # (B, D * H)
                state.append(np.tanh(map_(read)).reshape(-1, *shape))
            first.append(tuple(state))
        return first


class FirstInput:
    """The top layer's last h as the first x_t of the decoder: `x_0 = W [forward; backward] + b`."""

    def __init__(self, take: Take, sizes: RNNSizes, embedding_size: int) -> None:
        """Take the map from the last states of an encoder of these sizes."""
        self._directions = sizes.directions
        self._map = Linear.take(within(take, "map"), sizes.output_size, embedding_size)

    def __call__(self, last: Layers, decoder: RNN) -> Layers:
        """Let the `decoder` read the last states of an encoder: the states of its layers thereafter."""
        summary = _join(last[-self._directions :])[0]  # (B, D * H)
        projected = decoder.layers[0][0].project(self._map(summary))
        return decoder.step(projected, decoder.initial(len(summary)))[1]


def take_entry(take: Take, config: ModelConfig, sizes: RNNSizes) -> Entry:
    """Make the entry that a configuration names, behind an encoder of these sizes."""
    if config.entry == "first":
        return FirstInput(take, sizes, config.embedding_size)
    return Bridge(take, list(load(CELLS[config.cell]).state(config.hidden_size).values()), sizes)


def _join(directions: Layers) -> list[Array]:
    """Join each array of the states of a layer's directions: (B, H) -> (B, D * H)."""
    return [np.concatenate(parts, axis=1) for parts in zip(*directions, strict=True)]
