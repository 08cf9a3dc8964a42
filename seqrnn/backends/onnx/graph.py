"""A graph of ONNX operators as it is put together, without the onnx package.

A value is known by its name, a `str`: what an operator returns is what the next one takes. Operators and
attributes are those of https://onnx.ai/onnx/operators, in the version `OPSET`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

OPSET = 17
"""The version of the operators: of 2022, so that old runtimes read the file, too."""

Array = np.ndarray[Any, Any]
Kind = Literal["float32", "float64", "int64", "bool"]
Axis = str | int  # a name for an axis of any length


@dataclass(frozen=True)
class Port:
    """An input or an output of a graph."""

    name: str
    kind: Kind
    shape: tuple[Axis, ...]


@dataclass(frozen=True)
class Node:
    """An operator, with the names of what it takes and returns; '' is none."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass
class Graph:
    """Operators in the order of their computation. `prefix` keeps the names of a body of a loop apart."""

    prefix: str = ""
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    arrays: dict[str, Array] = field(default_factory=dict)

    def input(self, name: str, kind: Kind, *shape: Axis) -> str:
        """Declare an input."""
        self.inputs.append(Port(self.prefix + name, kind, shape))
        return self.prefix + name

    def output(self, value: str, name: str, kind: Kind, *shape: Axis) -> None:
        """Declare a value as an output, under a name."""
        self.nodes.append(Node("Identity", (value,), (self.prefix + name,), {}))
        self.outputs.append(Port(self.prefix + name, kind, shape))

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator; return its only output."""
        return self.add_many(operator, inputs, 1, **attributes)[0]

    def add_many(self, operator: str, inputs: tuple[str, ...], outputs: int, **attributes: Any) -> list[str]:
        """Add an operator of several outputs; return them."""
        name = f"{self.prefix}{operator.lower()}.{len(self.nodes)}"
        results = [name] if outputs == 1 else [f"{name}.{number}" for number in range(outputs)]
        self.nodes.append(Node(operator, inputs, tuple(results), attributes))
        return results

    def weight(self, name: str, array: Array) -> str:
        """Keep an array under its name, once however often it is asked for."""
        self.arrays[name] = array
        return name

    def integers(self, *numbers: int) -> str:
        """Return a constant of int64, (N,)."""
        return self._constant(np.array(numbers, dtype=np.int64))

    def scalar(self, number: int) -> str:
        """Return a constant of int64 without axes."""
        return self.weight(f"{self.prefix}scalar.{number}", np.array(number, dtype=np.int64))

    def number(self, number: float) -> str:
        """Return a constant of float32 without axes."""
        return self._constant(np.array(number, dtype=np.float32))

    def _constant(self, array: Array) -> str:
        return self.weight(f"{self.prefix}constant.{len(self.arrays)}", array)


@dataclass(frozen=True)
class Part:
    """A part of a network that is put into a graph: finds its parameters by their names in that part."""

    graph: Graph
    parameters: Mapping[str, Array]
    prefix: str = ""

    def within(self, part: str) -> Part:
        """Return a part of this part."""
        return Part(self.graph, self.parameters, f"{self.prefix}{part}.")

    def array(self, name: str) -> Array:
        """Return a parameter."""
        return self.parameters[self.prefix + name]

    def weight(self, name: str) -> str:
        """Put a parameter into the graph, under its full name."""
        return self.graph.weight(self.prefix + name, self.array(name))
