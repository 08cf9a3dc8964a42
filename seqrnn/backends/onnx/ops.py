"""What a network is described with, as operators of ONNX.

Shapes: B batch, T time, E input size, H hidden size, D directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seqrnn.backends.onnx import crf
from seqrnn.backends.onnx.cell_loop import zero_state
from seqrnn.backends.onnx.functions import OnnxFunctions
from seqrnn.backends.onnx.graph import Part
from seqrnn.backends.onnx.layers import RNN
from seqrnn.cells.sizes import RNNSizes
from seqrnn.networks.ops import Layers, Map, State


class OnnxOps(OnnxFunctions):
    """Makes the layers of one part of a network; a call of one adds its operators to the graph."""

    def __init__(self, part: Part) -> None:
        super().__init__(part.graph)
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
