"""What a network is described with, as operators of ONNX.

Shapes: B batch, T time, E input size, H hidden size, D directions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqrnn.backends.onnx import crf
from seqrnn.backends.onnx.cell_loop import zero_state
from seqrnn.backends.onnx.graph import Part
from seqrnn.backends.onnx.layers import RNN, sequence_mask
from seqrnn.cells.sizes import RNNSizes
from seqrnn.data.text.vocabulary import BLANK
from seqrnn.networks.hashing import FACTOR, MODULUS
from seqrnn.networks.ops import Layers, Map, State

LOWEST = float(np.finfo(np.float32).min)


class OnnxOps:
    """Makes the layers of one part of a network; a call of one adds its operators to the graph."""

    def __init__(self, part: Part) -> None:
        self.graph = part.graph
        self._part = part

    def within(self, part: str) -> OnnxOps:
        return OnnxOps(self._part.within(part))

    def order(self, *parts: str) -> None:
        """Do nothing: parameters are found by their names."""

    def linear(
        self,
        inputs: int,  # noqa: ARG002
        outputs: int,  # noqa: ARG002
        bias: bool = True,
        tied_to: Embedding | None = None,
    ) -> Linear:
        """Make `y = W x + b`."""
        return Linear(self._part, bias, tied_to)

    def norm(self, size: int) -> Map:  # noqa: ARG002
        return Norm(self._part)

    def embedding(self, vocabulary: int, size: int, **training: Any) -> Embedding:  # noqa: ARG002
        return Embedding(self._part)

    def sum_of_rows(self, rows: int, size: int, dropout: float) -> SumOfRows:  # noqa: ARG002
        return SumOfRows(self, self._part)

    def images(self, channels: int, side: int, width: int) -> tuple[Map, int]:
        raise NotImplementedError

    def rnn(self, cell: str, sizes: RNNSizes) -> Recurrence:
        return Recurrence(self, self._part, RNN(cell, sizes))

    def crf(self, tags: int) -> CRF:  # noqa: ARG002
        """Make a conditional random field."""
        return CRF(self._part)

    def dropout(self, share: float) -> Map:  # noqa: ARG002
        """Make what keeps all values: dropout is for training."""
        return lambda x: x

    def zero_states(self, rnn: Recurrence, like: str) -> Layers:
        sizes = rnn.layers.sizes
        shapes = rnn.layers.kind.state(sizes.hidden_size).values()
        state = zero_state(self.graph, shapes, self.shape(like, 0, 1))
        return [state] * (sizes.num_layers * sizes.directions)

    def floats(self, x: str) -> str:
        return self.graph.add("Cast", x, to="float32")

    def add(self, x: str, y: str) -> str:
        return self.graph.add("Add", x, y)

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
        largest = self.max_over_positions(graph.add("Where", inside, hidden, graph.number(LOWEST)))
        some = graph.add("Greater", self.insert_axis(lengths, 1), graph.integers(0))  # (B, 1)
        return graph.add("Where", some, largest, graph.number(0.0))

    def max_over_positions(self, hidden: str) -> str:
        return self.graph.add("ReduceMax", hidden, axes=[1], keepdims=0)

    def present(self, tokens: str) -> str:
        return self.graph.add("Not", self.graph.add("Equal", tokens, self.graph.integers(BLANK)))

    def kept(self, tokens: str, mask: str) -> str:
        return self.graph.add("Mul", tokens, self.graph.add("Cast", mask, to="int64"))

    def windows(self, x: str, size: int) -> list[str]:
        graph, last = self.graph, np.iinfo(np.int64).max
        ends = [first - size + 1 or last for first in range(size)]
        return [
            graph.add("Slice", x, *map(graph.integers, (first, end, 1)))
            for first, end in zip(range(size), ends, strict=True)
        ]

    def hashed(self, parts: Sequence[str], buckets: int) -> str:
        graph = self.graph
        number = graph.integers(len(parts))
        for part in parts:
            larger = graph.add("Add", graph.add("Mul", number, graph.integers(FACTOR)), part)
            number = graph.add("Mod", larger, graph.integers(MODULUS))
        bucket = graph.add("Mod", number, graph.integers(buckets - 1))
        return graph.add("Add", bucket, graph.integers(1))

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


@dataclass(frozen=True)
class Linear:
    """An affine map over the last axis; `tied_to` an embedding, its matrix is that one's table."""

    part: Part
    bias: bool
    tied_to: Embedding | None = None

    def __call__(self, x: str) -> str:
        """Map (..., N) -> (..., M)."""
        graph = self.part.graph
        weight = self.part.weight("weight") if self.tied_to is None else self.tied_to.table()
        transposed = graph.add("Transpose", weight, perm=[1, 0])
        y = graph.add("MatMul", x, transposed)
        return graph.add("Add", y, self.part.weight("bias")) if self.bias else y


@dataclass(frozen=True)
class Embedding:
    """A vector a token."""

    part: Part

    def __call__(self, tokens: str) -> str:
        """Look up tokens (...) -> (..., E)."""
        return self.part.graph.add("Gather", self.table(), tokens, axis=0)

    def table(self) -> str:
        """Return the table, (V, E)."""
        return self.part.weight("table.weight")


@dataclass(frozen=True)
class SumOfRows:
    """The sum of rows of a table over the root of their number."""

    ops: OnnxOps
    part: Part

    def __call__(self, numbers: str) -> str:
        """Sum the rows `numbers` (B, F) but for 0 -> (B, size)."""
        graph, ops = self.part.graph, self.ops
        weights = ops.insert_axis(ops.floats(ops.present(numbers)), 1)
        rows = ops.rows(self.part.weight("table.weight"), numbers)  # (B, F, size)
        total = ops.remove_axis(ops.weighted_sum(weights, rows), 1)
        count = graph.add("ReduceSum", weights, graph.integers(2), keepdims=0)  # (B, 1)
        return graph.add("Div", total, graph.add("Sqrt", graph.add("Max", count, graph.number(1.0))))


@dataclass(frozen=True)
class Norm:
    """Layer normalization over the last axis."""

    part: Part

    def __call__(self, x: str) -> str:
        """Normalize (..., H)."""
        weights = self.part.weight("weight"), self.part.weight("bias")
        return self.part.graph.add("LayerNormalization", x, *weights, axis=-1, epsilon=1e-5)


@dataclass(frozen=True)
class CRF:
    """Decodes the likeliest tags; their probabilities are not computed in a graph."""

    part: Part

    def decode(self, emissions: str, mask: str) -> tuple[str, None]:
        """Return the likeliest tags (B, T)."""
        return crf.decode(self.part, emissions, mask), None


@dataclass(frozen=True)
class Recurrence:
    """Recurrent layers; the state of each layer and direction is a value of its own, (B, H)."""

    ops: OnnxOps
    part: Part
    layers: RNN

    def __call__(self, x: str, lengths: str, states: Layers | None = None) -> tuple[str, Layers]:
        """Read `x` (B, T, E) of `lengths` (B,): the hidden states of the last layer, and the last states."""
        directions = self.layers.sizes.directions
        begun = None
        if states is not None:
            starts = range(0, len(states), directions)
            begun = [self._stacked(states[start : start + directions]) for start in starts]
        hidden, last = self.layers.read(self.part, x, lengths, begun)
        return hidden, [state for layer in last for state in self._split(layer)]

    def _stacked(self, states: Layers) -> list[str]:
        """Join the states of a layer's directions: each array (D, B, H)."""
        return [
            self.ops.concat([self.ops.insert_axis(array, 0) for array in arrays], axis=0)
            for arrays in zip(*states, strict=True)
        ]

    def _split(self, arrays: list[str]) -> list[State]:
        """Undo that."""
        count, graph = self.layers.sizes.directions, self.part.graph
        parts = [
            [self.ops.remove_axis(part, 0) for part in graph.add_many("Split", (array,), count, axis=0)]
            for array in arrays
        ]
        return list(zip(*parts, strict=True))

    def step(self, x: str, states: Layers) -> tuple[str, Layers]:
        """Read one step `x` (B, E)."""
        ones = self.ops.tokens_like(1, x)
        _, last = self(self.ops.insert_axis(x, 1), ones, states)
        return last[-1][0], last
