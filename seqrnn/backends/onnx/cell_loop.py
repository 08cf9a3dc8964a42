"""A layer of a cell that no operator of ONNX computes: a loop over time, whose body is the cell's formula.

Shapes: B batch, T time, E input size, H hidden size, P numbers of a projection.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from seqrnn.backends.onnx import cell_functions as functions
from seqrnn.backends.onnx.cell_functions import GraphArray
from seqrnn.backends.onnx.graph import Graph, Part
from seqrnn.cells.cell import Cell, Shape, State


@dataclass(frozen=True)
class CellLoop:
    """One direction of a layer of `cell`."""

    cell: type[Cell]
    input_size: int
    hidden_size: int

    def read(self, part: Part, x: str, active: str, state: list[str]) -> tuple[str, list[str]]:
        """Read `x` (T, B, E), where `active` (T, B, 1) is true, from a state, each array (B, ...).

        Returns the outputs (T, B, H), zero where nothing is active, and the last state.
        """
        graph = part.graph
        steps = GraphArray(graph, x, ("time", "batch", self.input_size))
        projected = self.cell.project(functions, self._parameters(part, graph), steps)
        *last, outputs = graph.add_many(
            "Scan",
            (*state, projected.name, active),
            len(state) + 1,
            body=self._body(part),
            num_scan_inputs=2,
        )
        return outputs, last

    @property
    def state_shapes(self) -> list[Shape]:
        """The shapes of the arrays of a state, without the batch."""
        return list(self.cell.state(self.hidden_size).values())

    def zeros(self, graph: Graph, x: str) -> list[str]:
        """Return the zero state for `x` (T, B, E)."""
        return list(zero_state(graph, self.state_shapes, graph.add("Shape", x, start=1, end=2)))

    def _body(self, part: Part) -> Graph:
        """One step: the state, and the output, of the rows that are active."""
        body = Graph(f"{part.prefix}step.")
        state = tuple(
            GraphArray(body, body.input(f"state.{number}", "float32", "batch", *shape), ("batch", *shape))
            for number, shape in enumerate(self.state_shapes)
        )
        width = self.cell.projection_size(self.hidden_size)
        projected = GraphArray(body, body.input("projected", "float32", "batch", width), ("batch", width))
        active = body.input("active", "bool", "batch", 1)
        new = self.cell.step(functions, self._parameters(part, body), projected, state)
        for number, (value, old) in enumerate(zip(new, state, strict=True)):
            rows = (
                active if old.ndim == 2 else body.add("Unsqueeze", active, body.integers(*range(2, old.ndim)))
            )
            kept = body.add("Where", rows, value.name, old.name)
            body.output(kept, f"new.{number}", "float32", *old.shape)
        output = body.add("Where", active, new[0].name, body.number(0.0))
        body.output(output, "output", "float32", "batch", self.hidden_size)
        return body

    def _parameters(self, part: Part, graph: Graph) -> dict[str, GraphArray]:
        """Return the parameters, which are in the graph around the loop, as values that `graph` can see."""
        shapes = self.cell.parameters(self.input_size, self.hidden_size)
        return {name: GraphArray(graph, part.weight(name), shape) for name, shape in shapes.items()}


def zero_state(graph: Graph, shapes: Iterable[Shape], rows: str) -> State:
    """Return zeros of some shapes for so many `rows` (1,), each array (B, ...)."""
    whole = [graph.add("Concat", rows, graph.integers(*shape), axis=0) for shape in shapes]
    return tuple(graph.add("ConstantOfShape", shape) for shape in whole)
