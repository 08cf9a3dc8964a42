"""How what an encoder has read enters a decoder: as its first hidden state, or as its first input.

Shapes: B batch, E embedding, H hidden, D directions of the encoder.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from seqrnn.catalog import BRIDGES, CELLS, load
from seqrnn.cells.cell import Shape
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.networks.ops import Layers, Map, Ops, Recurrence, Value

Bridge = Callable[[Layers, Recurrence], Layers]
"""`(last states of an encoder, recurrent layers of the decoder) -> first states of the decoder`."""


class HiddenBridge:
    """From the encoder's last states to the decoder's first: `s = tanh(W [forward; backward] + b)`.

    Each layer, and each array of its state, has a `W` and `b` of its own. An array of another shape than the
    output h, such as a matrix, is made from the encoder's h.
    """

    def __init__(self, ops: Ops, config: ModelConfig, sizes: RNNSizes) -> None:
        """Take the sizes of the encoder."""
        self._ops = ops
        self._directions = sizes.directions
        self._shapes: list[Shape] = list(load(CELLS[config.cell]).state(sizes.hidden_size).values())
        self._maps = [
            [
                ops.within(f"layers.{depth}.{number}").linear(sizes.output_size, math.prod(shape))
                for number, shape in enumerate(self._shapes)
            ]
            for depth in range(sizes.num_layers)
        ]

    def __call__(self, last: Layers, decoder: Recurrence) -> Layers:  # noqa: ARG002
        """Map the last states of an encoder's layers and directions to the states of a decoder's layers."""
        first: Layers = []
        for depth, maps in enumerate(self._maps):
            arrays = _joined(self._ops, last[depth * self._directions : (depth + 1) * self._directions])
            parts = zip(self._shapes, maps, arrays, strict=True)
            first.append(tuple(self._mapped(*part, arrays[0]) for part in parts))
        return first

    def _mapped(self, shape: Shape, map_: Map, array: Value, h: Value) -> Value:
        """Map one array of a state, or h where it has another shape."""
        if len(shape) == 1 and shape == self._shapes[0]:
            return self._ops.tanh(map_(array))
        return self._ops.unflatten(self._ops.tanh(map_(h)), shape)


class InputBridge:
    """The top layer's last h as the first x_t of the decoder: `x_0 = W [forward; backward] + b`.

    The decoder reads it before <bos>, from its zero state (Vinyals et al. 2015, eq. 10).
    """

    def __init__(self, ops: Ops, config: ModelConfig, sizes: RNNSizes) -> None:
        """Take the sizes of the encoder."""
        self._ops = ops
        self._directions = sizes.directions
        self._map = ops.within("map").linear(sizes.output_size, config.embedding_size)

    def __call__(self, last: Layers, decoder: Recurrence) -> Layers:
        """Let the `decoder` read the last states of an encoder: the states of its layers thereafter."""
        top = _joined(self._ops, last[-self._directions :])[0]  # (B, D * H)
        return decoder.step(self._map(top), self._ops.zero_states(decoder, top))[1]


def build_bridge(ops: Ops, config: ModelConfig, sizes: RNNSizes) -> Bridge:
    """Make the bridge that a configuration names, from an encoder of these sizes."""
    bridge: Bridge = load(BRIDGES[config.entry])(ops, config, sizes)
    return bridge


def _joined(ops: Ops, directions: Layers) -> list[Value]:
    """Join each array of the states of a layer's directions: (B, H) -> (B, D * H)."""
    return [ops.concat(parts, axis=1) for parts in zip(*directions, strict=True)]
