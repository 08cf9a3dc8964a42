"""Recurrent layers in ONNX, and the steps that sequences have.

Shapes: B batch, T time, E input size, H hidden size, D directions, G gates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from seqrnn.backends.onnx.cell_loop import CellLoop
from seqrnn.backends.onnx.graph import Array, Graph, Part
from seqrnn.catalog import CELLS, load
from seqrnn.cells.cell import Cell, OnnxOperator
from seqrnn.cells.sizes import RNNSizes


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
        ends = Ends.of(graph, lengths, x)
        y = graph.add("Transpose", x, perm=[1, 0, 2])  # (T, B, E)
        new = []
        for depth in range(self.sizes.num_layers):
            first = states[depth] if states else []
            outputs, *state = self._layer(part.within(f"layers.{depth}"), depth, y, ends, first)
            by_row = graph.add("Transpose", outputs, perm=[0, 2, 1, 3])  # (T, B, D, H)
            y = graph.add("Reshape", by_row, graph.integers(0, 0, self.sizes.output_size))
            new.append(state)
        return graph.add("Transpose", y, perm=[1, 0, 2]), new

    def _layer(self, part: Part, depth: int, x: str, ends: Ends, first: list[str]) -> list[str]:
        """Add one layer: its outputs (T, D, B, H) and the arrays of its last state, each (D, B, ...)."""
        operator = self.kind.onnx_operator
        if operator is not None:
            return self._operator(part, operator, (x, ends.lengths), first)
        loop = CellLoop(self.kind, self.sizes.input_sizes[depth], self.sizes.hidden_size)
        return self._loops(part, loop, x, ends, first)

    def _operator(
        self, part: Part, operator: OnnxOperator, sequences: tuple[str, str], first: list[str]
    ) -> list[str]:
        """Add the operator that computes a layer over `sequences`, (T, B, E) and their lengths."""
        x, lengths = sequences
        directions = [part.within(str(number)) for number in range(self.sizes.directions)]
        weights = [
            part.graph.weight(
                f"{part.prefix}{letter}",
                np.stack([_in_order(operator, [one.array(name) for name in names]) for one in directions]),
            )
            for letter, names in {
                "W": ["weight_ih_l0"],
                "R": ["weight_hh_l0"],
                "B": ["bias_ih_l0", "bias_hh_l0"],
            }.items()
        ]
        options = dict(operator.attributes)
        if operator.activations:
            options["activations"] = list(operator.activations) * self.sizes.directions
        return part.graph.add_many(
            operator.name,
            (x, *weights, lengths, *first),
            1 + len(self.kind.state(self.sizes.hidden_size)),
            hidden_size=self.sizes.hidden_size,
            direction="bidirectional" if self.sizes.bidirectional else "forward",
            **options,
        )

    def _loops(self, part: Part, loop: CellLoop, x: str, ends: Ends, first: list[str]) -> list[str]:
        """Add a loop for each direction of a layer."""
        graph = part.graph
        before = [graph.add_many("Split", (array,), self.sizes.directions, axis=0) for array in first]
        found = []
        for direction in range(self.sizes.directions):
            given = [graph.add("Squeeze", array[direction], graph.integers(0)) for array in before]
            read = ends.reverse_sequences(graph, x) if direction else x
            state = given or loop.zeros(graph, x)
            y, last = loop.read(part.within(str(direction)), read, ends.active, state)
            found.append([ends.reverse_sequences(graph, y) if direction else y, *last])
        axes = [1] + [0] * len(loop.state_shapes)
        return [
            _stack(graph, arrays, axis) for arrays, axis in zip(zip(*found, strict=True), axes, strict=True)
        ]


@dataclass(frozen=True)
class Ends:
    """Where the sequences of a batch end: their lengths (B,), and which steps there are (T, B, 1)."""

    lengths: str
    active: str

    @classmethod
    def of(cls, graph: Graph, lengths: str, x: str) -> Ends:
        """Describe sequences `x` (B, T, E)."""
        mask = graph.add("Transpose", sequence_mask(graph, lengths, x), perm=[1, 0])
        active = graph.add("Unsqueeze", mask, graph.integers(2))
        return cls(graph.add("Cast", lengths, to="int32"), active)

    def reverse_sequences(self, graph: Graph, x: str) -> str:
        """Turn every sequence of (T, B, E) around within its own length."""
        lengths = graph.add("Cast", self.lengths, to="int64")
        return graph.add("ReverseSequence", x, lengths, time_axis=0, batch_axis=1)


def _stack(graph: Graph, arrays: Sequence[str], axis: int) -> str:
    """Join arrays along a new axis."""
    parts = [graph.add("Unsqueeze", array, graph.integers(axis)) for array in arrays]
    return graph.add("Concat", *parts, axis=axis)


def _in_order(operator: OnnxOperator, parameters: list[Array]) -> Array:
    """Bring the gates of parameters (G * H, ...) into the operator's order, one below the other."""
    blocks = [np.split(parameter, len(operator.gates)) for parameter in parameters]
    return np.concatenate([parameter[gate] for parameter, gate in product(blocks, operator.gates)])
