"""How what an encoder has read enters a decoder: as its first state, or as its first input.

Shapes: B batch, E embedding, H hidden, D directions of the encoder.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.rnn import RNN, Layers
from seqrnn.backends.numpy.weights import Array, Take, within
from seqrnn.catalog import CELLS, load
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig

Entry = Callable[[Layers, RNN], Layers]
"""`(last states of an encoder, recurrent layers of the decoder) -> first states of the decoder`."""


class Bridge:
    """The decoder's first states: `s = tanh(W [forward; backward] + b)`."""

    def __init__(self, take: Take, arrays: int, sizes: RNNSizes) -> None:
        """Take a `W` and `b` for each layer of the encoder and each of the arrays of its state."""
        self._directions = sizes.directions
        self._maps = [
            [
                Linear.take(within(take, f"layers.{depth}.{number}"), sizes.output_size, sizes.hidden_size)
                for number in range(arrays)
            ]
            for depth in range(sizes.num_layers)
        ]

    def __call__(self, last: Layers, decoder: RNN) -> Layers:  # noqa: ARG002
        """Map the last states of an encoder's layers and directions to the states of a decoder's layers."""
        first: Layers = []
        for depth, maps in enumerate(self._maps):
            arrays = _join(last[depth * self._directions : (depth + 1) * self._directions])
            first.append(tuple(np.tanh(map_(array)) for map_, array in zip(maps, arrays, strict=True)))
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
        from_input = decoder.layers[0][0].from_input(self._map(summary))
        return decoder.step(from_input, decoder.initial(len(summary)))[1]


def take_entry(take: Take, config: ModelConfig, sizes: RNNSizes) -> Entry:
    """Make the entry that a configuration names, behind an encoder of these sizes."""
    if config.entry == "first":
        return FirstInput(take, sizes, config.embedding_size)
    return Bridge(take, len(load(CELLS[config.cell]).state_names), sizes)


def _join(directions: Layers) -> list[Array]:
    """Join each array of the states of a layer's directions: (B, H) -> (B, D * H)."""
    return [np.concatenate(parts, axis=1) for parts in zip(*directions, strict=True)]
