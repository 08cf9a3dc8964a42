"""The states of recurrent layers as inputs and outputs of a graph: `h_in` and `h_out`, of an LSTM `c_in` too.

Shapes: L layers, B batch, H hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seqrnn.backends.onnx.graph import Array, Graph
from seqrnn.catalog import CELLS, load
from seqrnn.cells.cell import Shape
from seqrnn.config import ModelConfig
from seqrnn.networks.ops import Layers


class LayerStates:
    """The states of all layers of one direction, each array (L, B, ...) as the cell has it."""

    def __init__(self, config: ModelConfig) -> None:
        """Take the settings of the network."""
        shapes = load(CELLS[config.cell]).state(config.hidden_size)
        self.shapes: dict[str, Shape] = {name: (config.num_layers, *shape) for name, shape in shapes.items()}
        self._depth = config.num_layers

    def inputs(self, graph: Graph) -> list[str]:
        """Declare them as inputs."""
        return [
            graph.input(f"{name}_in", "float32", self._depth, "batch", *shape[1:])
            for name, shape in self.shapes.items()
        ]

    def outputs(self, graph: Graph, arrays: Sequence[str]) -> None:
        """Declare values as outputs."""
        for (name, shape), array in zip(self.shapes.items(), arrays, strict=True):
            graph.output(array, f"{name}_out", "float32", self._depth, "batch", *shape[1:])

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
            for name, parts in zip(self.shapes, zip(*layers, strict=True), strict=True)
        }

    def layers(self, inputs: Mapping[str, Array]) -> Layers:
        """Return the states of each layer of arrays by the names of inputs."""
        return list(zip(*(inputs[f"{name}_in"] for name in self.shapes), strict=True))

    def sample(self, rows: int, random: np.random.Generator) -> dict[str, Array]:
        """Make random inputs."""
        sizes = {name: (self._depth, rows, *shape[1:]) for name, shape in self.shapes.items()}
        return {
            f"{name}_in": random.uniform(-1.0, 1.0, size=size).astype(np.float32)
            for name, size in sizes.items()
        }

    def where(self, graph: Graph, rows: str, new: Sequence[str], old: Sequence[str]) -> list[str]:
        """Take the new arrays of some rows (B,) and the old ones of the others."""
        axes = [range(1, len(shape)) for shape in self.shapes.values()]
        masks = [graph.add("Unsqueeze", rows, graph.integers(*each)) for each in axes]
        return [graph.add("Where", *parts) for parts in zip(masks, new, old, strict=True)]
