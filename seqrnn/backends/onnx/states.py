"""The states of recurrent layers as inputs and outputs of a graph: `h_in` and `h_out`, of an LSTM `c_in` too.

Shapes: L layers, B batch, H hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seqrnn.backends.onnx.graph import Array, Graph
from seqrnn.catalog import CELLS, load
from seqrnn.config import ModelConfig
from seqrnn.networks.ops import Layers


class LayerStates:
    """The states of all layers of one direction, each array (L, B, H)."""

    def __init__(self, config: ModelConfig) -> None:
        """Take the settings of the network."""
        self.names: tuple[str, ...] = load(CELLS[config.cell]).state_names
        self._depth = config.num_layers
        self._size = config.hidden_size

    def inputs(self, graph: Graph) -> list[str]:
        """Declare them as inputs."""
        return [graph.input(f"{name}_in", "float32", self._depth, "batch", self._size) for name in self.names]

    def outputs(self, graph: Graph, arrays: Sequence[str]) -> None:
        """Declare values as outputs."""
        for name, array in zip(self.names, arrays, strict=True):
            graph.output(array, f"{name}_out", "float32", self._depth, "batch", self._size)

    def split(self, graph: Graph, arrays: Sequence[str]) -> Layers:
        """Cut them into the states of each layer, each (B, H)."""
        parts = [
            [
                graph.add("Squeeze", part, graph.integers(0))
                for part in graph.add_many("Split", (array,), self._depth, axis=0)
            ]
            for array in arrays
        ]
        return list(zip(*parts, strict=True))

    def joined(self, graph: Graph, layers: Layers) -> list[str]:
        """Undo that."""
        return [
            graph.add("Concat", *(graph.add("Unsqueeze", part, graph.integers(0)) for part in parts), axis=0)
            for parts in zip(*layers, strict=True)
        ]

    def named(self, layers: Layers, side: str) -> dict[str, Array]:
        """Return the states of each layer, arrays of NumPy, by the names of inputs or outputs."""
        return {
            f"{name}_{side}": np.stack(parts)
            for name, parts in zip(self.names, zip(*layers, strict=True), strict=True)
        }

    def layers(self, inputs: Mapping[str, Array]) -> Layers:
        """Return the states of each layer of arrays by the names of inputs."""
        return list(zip(*(inputs[f"{name}_in"] for name in self.names), strict=True))

    def sample(self, rows: int, random: np.random.Generator) -> dict[str, Array]:
        """Make random inputs."""
        shape = (self._depth, rows, self._size)
        return {f"{name}_in": random.uniform(-1.0, 1.0, size=shape).astype(np.float32) for name in self.names}
