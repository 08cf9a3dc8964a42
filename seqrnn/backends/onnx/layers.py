"""Recurrent layers in ONNX, and the steps that sequences have.

Shapes: B batch, T time, E input size, H hidden size, D directions, G gates.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from seqrnn.backends.onnx.graph import Array, Graph, Part
from seqrnn.catalog import CELLS, load
from seqrnn.cells.cell import Cell
from seqrnn.cells.sizes import RNNSizes

GATES = {"RNN": (0,), "GRU": (1, 0, 2), "LSTM": (0, 3, 1, 2)}
"""The operators that compute a cell, by the name of its fused twin, and which of its gates theirs are."""


def sequence_mask(graph: Graph, lengths: str, like: str) -> str:
    """Say which steps each sequence of `lengths` (B,) has, where `like` is (B, T, ...): a mask (B, T)."""
    total = graph.add("Squeeze", graph.add("Shape", like, start=1, end=2))
    steps = graph.add("Range", graph.scalar(0), total, graph.scalar(1))  # (T,)
    return graph.add("Less", steps, graph.add("Unsqueeze", lengths, graph.integers(1)))


@dataclass(frozen=True)
class RNN:
    """A stack of recurrent layers as a model names it."""

    cell: str
    sizes: RNNSizes

    @property
    def kind(self) -> type[Cell]:
        """The cell's class."""
        kind: type[Cell] = load(CELLS[self.cell])
        return kind

    def read(
        self, part: Part, x: str, lengths: str, states: list[list[str]] | None = None
    ) -> tuple[str, list[list[str]]]:
        """Read sequences `x` (B, T, E) of `lengths` (B,), which may be 0.

        Returns the hidden states of the last layer (B, T, D * H), zero where a sequence has ended, and
        for each layer the arrays of its last state, each (D, B, H); `states` are those to begin with.
        """
        graph = part.graph
        counts = graph.add("Cast", lengths, to="int32")
        y = graph.add("Transpose", x, perm=[1, 0, 2])  # (T, B, E)
        new = []
        for depth in range(self.sizes.num_layers):
            first = states[depth] if states else []
            outputs, *state = self._layer(part.within(f"layers.{depth}"), y, counts, first)
            by_row = graph.add("Transpose", outputs, perm=[0, 2, 1, 3])  # (T, B, D, H)
            y = graph.add("Reshape", by_row, graph.integers(0, 0, self.sizes.output_size))
            new.append(state)
        return graph.add("Transpose", y, perm=[1, 0, 2]), new

    def _layer(self, part: Part, x: str, counts: str, first: list[str]) -> list[str]:
        """Add one layer: its outputs (T, D, B, H) and the arrays of its last state."""
        directions = [part.within(str(number)) for number in range(self.sizes.directions)]
        weights = [
            part.graph.weight(
                f"{part.prefix}{letter}", np.stack([self._joined(one, names) for one in directions])
            )
            for letter, names in {
                "W": ["weight_ih_l0"],
                "R": ["weight_hh_l0"],
                "B": ["bias_ih_l0", "bias_hh_l0"],
            }.items()
        ]
        return part.graph.add_many(
            self.kind.fused,
            (x, *weights, counts, *first),
            1 + len(self.kind.state_names),
            hidden_size=self.sizes.hidden_size,
            direction="bidirectional" if self.sizes.bidirectional else "forward",
            **self._options(),
        )

    def _joined(self, part: Part, names: list[str]) -> Array:
        """Bring the gates of parameters (G * H, ...) into the operator's order, one below the other."""
        blocks = [np.split(part.array(name), self.kind.gates) for name in names]
        order = GATES[self.kind.fused]
        return np.concatenate([parameter[gate] for parameter, gate in product(blocks, order)])

    def _options(self) -> dict[str, object]:
        if self.kind.fused == "GRU":
            return {"linear_before_reset": 1}  # the reset gate acts behind the product with W_h
        if self.kind.fused == "RNN":
            activation = (
                self.kind.fused_options["nonlinearity"].replace("relu", "Relu").replace("tanh", "Tanh")
            )
            return {"activations": [activation] * self.sizes.directions}
        return {}
