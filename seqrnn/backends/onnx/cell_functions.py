"""The `FormulaFunctions` of cells' formulas for values of an ONNX graph."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from seqrnn.backends.onnx.graph import Axis, Graph
from seqrnn.errors import UsageError

Shape = tuple[Axis, ...]


class GraphArray:
    """A value of a graph with the operators that arrays have; each adds an operator to the graph."""

    def __init__(self, graph: Graph, name: str, shape: Shape) -> None:
        """Name a value that `graph` can see, of a shape whose first axes may have any length."""
        self.graph, self.name, self.shape = graph, name, shape

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    def apply(self, operator: str, *others: GraphArray | float, shape: Shape | None = None) -> GraphArray:
        """Add an operator whose first input this is."""
        operands = [self, *(self._as_value(other) for other in others)]
        name = self.graph.add(operator, *(operand.name for operand in operands))
        return GraphArray(self.graph, name, shape or _broadcast([operand.shape for operand in operands]))

    def _as_value(self, x: GraphArray | float) -> GraphArray:
        return x if isinstance(x, GraphArray) else GraphArray(self.graph, self.graph.number(x), ())

    def __add__(self, other: GraphArray | float) -> GraphArray:
        return self.apply("Add", other)

    __radd__ = __add__

    def __mul__(self, other: GraphArray | float) -> GraphArray:
        return self.apply("Mul", other)

    __rmul__ = __mul__

    def __sub__(self, other: GraphArray | float) -> GraphArray:
        return self.apply("Sub", other)

    def __rsub__(self, other: float) -> GraphArray:
        return self._as_value(other).apply("Sub", self)

    def __truediv__(self, other: GraphArray | float) -> GraphArray:
        return self.apply("Div", other)

    def __rtruediv__(self, other: float) -> GraphArray:
        return self._as_value(other).apply("Div", self)

    def __neg__(self) -> GraphArray:
        return self.apply("Neg")

    def __matmul__(self, other: GraphArray) -> GraphArray:
        return self.apply("MatMul", other, shape=(*self.shape[:-1], other.shape[-1]))

    def __getitem__(self, key: Any) -> GraphArray:
        if not isinstance(key, tuple) or key[:1] != (Ellipsis,):
            raise _no_counterpart(f"the index {key}")
        value, axis = self, -1  # from the last axis to those before it
        for index in key[:0:-1]:
            value = value._indexed(index, axis)
            axis -= 0 if isinstance(index, int) else 1
        return value

    def _indexed(self, index: Any, axis: int) -> GraphArray:
        """Take one element or a slice of an axis, counted from the last one, or add an axis there."""
        position = len(self.shape) + axis
        before, after = self.shape[:position], self.shape[position + 1 :]
        if index is None:
            name = self.graph.add("Unsqueeze", self.name, self.graph.integers(axis))
            return GraphArray(self.graph, name, (*self.shape[: position + 1], 1, *after))
        size = self.shape[position]
        assert isinstance(size, int)
        if isinstance(index, int):
            part = self._indexed(slice(index % size, index % size + 1), axis)
            name = self.graph.add("Squeeze", part.name, self.graph.integers(axis))
            return GraphArray(self.graph, name, (*before, *after))
        start, stop, step = index.indices(size)
        if (start, stop, step) == (0, size, 1):
            return self
        limits = (self.graph.integers(number) for number in (start, stop, axis, step))
        name = self.graph.add("Slice", self.name, *limits)
        return GraphArray(self.graph, name, (*before, len(range(start, stop, step)), *after))

    def __getattr__(self, name: str) -> Any:
        raise _no_counterpart(name)


def tanh(x: GraphArray) -> GraphArray:
    """The hyperbolic tangent."""
    return x.apply("Tanh")


def sigmoid(x: GraphArray) -> GraphArray:
    """The logistic function."""
    return x.apply("Sigmoid")


def relu(x: GraphArray) -> GraphArray:
    """The larger of x and 0."""
    return x.apply("Relu")


def softplus(x: GraphArray) -> GraphArray:
    """The logarithm of 1 + exp(x)."""
    return x.apply("Softplus")


def linear(x: GraphArray, weight: GraphArray, bias: GraphArray | None) -> GraphArray:
    """`x W^T + b`."""
    transposed = x.graph.add("Transpose", weight.name, perm=[1, 0])
    y = x @ GraphArray(x.graph, transposed, weight.shape[::-1])
    return y if bias is None else y + bias


def concat(parts: list[GraphArray]) -> GraphArray:
    """Join values along their last axis."""
    first = parts[0]
    name = first.graph.add("Concat", *(part.name for part in parts), axis=-1)
    size = sum(part.shape[-1] for part in parts if isinstance(part.shape[-1], int))
    return GraphArray(first.graph, name, (*first.shape[:-1], size))


def at_least_single(x: GraphArray) -> GraphArray:
    """Return `x`: there is no half precision here."""
    return x


def _broadcast(shapes: list[Shape]) -> Shape:
    """Return the shape of an elementwise result: an axis of 1 is repeated."""
    found: list[Axis] = []
    for axes in zip_longest(*(shape[::-1] for shape in shapes), fillvalue=1):
        found.append(next((axis for axis in axes if axis != 1), 1))
    return tuple(found[::-1])


def _no_counterpart(what: str) -> UsageError:
    return UsageError(f"`onnx`: the cell's formula uses {what}, which is not written as ONNX yet")
