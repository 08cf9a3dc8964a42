"""The functions of `networks/ops.py` as operators of ONNX: a value is the name of one in a graph.

Shapes: B batch, T time, Q queries, H hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from seqrnn.backends.onnx.graph import Graph
from seqrnn.backends.onnx.layers import sequence_mask
from seqrnn.networks.ops import Map

LOWEST = float(np.finfo(np.float32).min)


class OnnxFunctions:
    """Functions of the values of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def floats(self, x: str) -> str:
        return self.graph.add("Cast", x, to="float32")

    def tanh(self, x: str) -> str:
        return self.graph.add("Tanh", x)

    def tanh_of_sum(self, x: str, y: str) -> str:
        return self.graph.add("Tanh", self.graph.add("Add", x, y))

    def relu(self, x: str) -> str:
        return self.graph.add("Relu", x)

    def log_softmax(self, x: str) -> str:
        return self.graph.add("LogSoftmax", x, axis=-1)

    def log_sigmoid(self, x: str) -> str:
        return self.graph.add("Neg", self.graph.add("Softplus", self.graph.add("Neg", x)))

    def concat(self, parts: Sequence[str], axis: int) -> str:
        return self.graph.add("Concat", *parts, axis=axis)

    def insert_axis(self, x: str, axis: int) -> str:
        return self.graph.add("Unsqueeze", x, self.graph.integers(axis))

    def remove_axis(self, x: str, axis: int) -> str:
        return self.graph.add("Squeeze", x, self.graph.integers(axis))

    def unflatten(self, x: str, shape: tuple[int, ...]) -> str:
        """Give each row of `x` (B, N) a shape: (B, *shape)."""
        return self.graph.add("Reshape", x, self.graph.integers(-1, *shape))

    def rows(self, x: str, index: str) -> str:
        return self.graph.add("Gather", x, index, axis=0)

    def grouped(self, x: str, sources: str) -> str:
        graph = self.graph
        shape = (self.shape(sources, 0, 1), graph.integers(-1), self.shape(x, 1, 2))
        return graph.add("Reshape", x, graph.add("Concat", *shape, axis=0))

    def ungrouped(self, x: str) -> str:
        return self.graph.add("Flatten", x, axis=2)

    def shape(self, x: str, start: int, stop: int) -> str:
        return self.graph.add("Shape", x, start=start, end=stop)

    def tokens_like(self, token: int, like: str) -> str:
        return self.graph.add("Expand", self.graph.integers(token), self.shape(like, 0, 1))

    def mask(self, lengths: str, like: str) -> str:
        return sequence_mask(self.graph, lengths, like)

    def everywhere(self, like: str) -> str:
        one = self.graph.add("Cast", self.graph.integers(1), to="bool")
        return self.graph.add("Expand", one, self.shape(like, 0, 2))

    def whole(self, hidden: str) -> str:
        return hidden

    def per_step(self, hidden: str, function: Map) -> str:
        found: str = function(hidden)
        return found

    def mean_step(self, hidden: str, lengths: str) -> str:
        graph = self.graph
        total = graph.add("ReduceSum", hidden, graph.integers(1), keepdims=0)
        count = graph.add("Cast", self.insert_axis(lengths, 1), to="float32")  # (B, 1)
        return graph.add("Div", total, graph.add("Max", count, graph.number(1.0)))

    def largest_step(self, hidden: str, lengths: str) -> str:
        graph = self.graph
        inside = self.insert_axis(self.mask(lengths, hidden), 2)  # (B, T, 1)
        largest = self.largest_place(graph.add("Where", inside, hidden, graph.number(LOWEST)))
        some = graph.add("Greater", self.insert_axis(lengths, 1), graph.integers(0))  # (B, 1)
        return graph.add("Where", some, largest, graph.number(0.0))

    def largest_place(self, places: str) -> str:
        return self.graph.add("ReduceMax", places, axes=[1], keepdims=0)

    def masked_softmax(self, scores: str, mask: str) -> str:
        graph = self.graph
        weights = graph.add("Softmax", graph.add("Where", mask, scores, graph.number(LOWEST)), axis=-1)
        return graph.add("Mul", weights, graph.add("Cast", mask, to="float32"))

    def scores(self, queries: str, keys: str) -> str:
        return self.graph.add("MatMul", queries, self.graph.add("Transpose", keys, perm=[0, 2, 1]))

    def weighted_sum(self, weights: str, values: str) -> str:
        return self.graph.add("MatMul", weights, values)

    def likeliest(self, scores: str) -> tuple[str, str]:
        largest = self.graph.add("ReduceMax", scores, axes=[-1], keepdims=0)
        return largest, self.graph.add("ArgMax", scores, axis=-1, keepdims=0)

    def chosen(self, scores: str, index: str) -> str:
        found = self.graph.add("GatherElements", scores, self.insert_axis(index, 2), axis=2)
        return self.remove_axis(found, 2)

    def sum_of_steps(self, x: str, mask: str) -> str:
        inside = self.graph.add("Mul", x, self.graph.add("Cast", mask, to="float32"))
        return self.graph.add("ReduceSum", inside, self.graph.integers(1), keepdims=0)

    def in_parts(self, read: Callable[[str, str], str], rows: str, lengths: str) -> str:
        return read(rows, lengths)
