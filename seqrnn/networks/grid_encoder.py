"""Inputs without recurrence: the positions of an image, or one vector, pooled into one state.

Shapes: B batch, S positions, E size of a position's vector, H hidden.
"""

from __future__ import annotations

from seqrnn.cells.sizes import RNNSizes
from seqrnn.networks.ops import Layers, Ops, Value


class PooledMLP:
    """Layers `h = relu(W x + b)` over each position, and then the largest value of each feature.

    One vector is one position: then this is a plain feed-forward network.
    """

    def __init__(self, ops: Ops, sizes: RNNSizes) -> None:
        self._ops = ops
        inputs = [sizes.input_size] + [sizes.hidden_size] * (sizes.num_layers - 1)
        self._layers = [
            ops.within(f"layers.{depth}").linear(size, sizes.hidden_size) for depth, size in enumerate(inputs)
        ]
        self._dropout = ops.dropout(sizes.dropout)

    def __call__(self, positions: Value) -> Value:
        """Pool `positions` (B, S, E) -> (B, H)."""
        x = positions
        for depth, layer in enumerate(self._layers):
            x = self._dropout(x) if depth else x
            x = self._ops.relu(layer(x))  # (B, S, H)
        return self._ops.max_over_positions(x)


class GridEncoder:
    """An encoder without recurrence: the positions are the memory, their pooled state every last state.

    That state is normalized: the largest values of many positions are nearly the same in all images.
    """

    def __init__(self, ops: Ops, sizes: RNNSizes, arrays: int) -> None:
        """Take the sizes of the decoder's layers, and how many arrays its cell's state has."""
        self._pool = PooledMLP(ops.within("summary"), sizes)
        self._norm = ops.within("norm").norm(sizes.hidden_size)
        self._arrays = arrays
        self._depth = sizes.num_layers

    def __call__(self, positions: Value) -> Layers:
        """Read `positions` (B, S, E): a last state a layer."""
        last = self._norm(self._pool(positions))  # (B, H)
        return [(last,) * self._arrays] * self._depth
