"""What a network reads, as inputs of a graph: tokens, vectors as the data have them, or notes.

Shapes: B batch, T time, F features.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from seqrnn.backends.onnx.graph import Array, Axis, Graph
from seqrnn.data.fields.notes_field import NotesField
from seqrnn.data.fields.vectors_field import VectorsField


class Source:
    """The input of a field that enters a network."""

    def __init__(self, field: Any) -> None:
        """Take the task's field."""
        self._field = field
        self.sequential: bool = field.sequential

    def add_to(self, graph: Graph) -> dict[str, str]:
        """Declare the input; return what the network reads: `source`, and `lengths` of a sequence."""
        source = self._add_source(graph)
        return {
            "source": source,
            **({"lengths": graph.input("lengths", "int64", "batch")} if self.sequential else {}),
        }

    def _add_source(self, graph: Graph) -> str:
        steps: tuple[Axis, ...] = ("batch", "time")
        if isinstance(self._field, NotesField):
            return graph.input("notes", "float32", *steps, self._field.keys)
        if not isinstance(self._field, VectorsField):
            return graph.input("tokens", "int64", *steps)
        shape = (*steps[: 1 + self.sequential], len(self._field.mean))
        # In double precision, as in training: a mean may be much larger than a deviation.
        vectors = graph.input("vectors", "float64", *shape)
        mean, deviation = (
            graph.weight(name, getattr(self._field, name).astype(np.float64))
            for name in ("mean", "deviation")
        )
        normalised = graph.add("Div", graph.add("Sub", vectors, mean), deviation)
        if not self.sequential:
            normalised = graph.add("Unsqueeze", normalised, graph.integers(1))
        return graph.add("Cast", normalised, to="float32")

    def sample(self, lengths: Array, width: int, random: np.random.Generator) -> dict[str, Array]:
        """Make random inputs of `lengths` (B,), padded to `width` steps."""
        sizes, size = self._field.sizes(), len(lengths)
        if isinstance(self._field, NotesField):
            notes = random.integers(2, size=(size, width, sizes.features)).astype(np.float32)
            return {"notes": notes, "lengths": lengths}
        if not isinstance(self._field, VectorsField):
            return {"tokens": random_tokens(lengths, width, sizes.vocabulary, random), "lengths": lengths}
        shape = (size, width, sizes.features)[:: 1 if self.sequential else 2]
        vectors = random.normal(size=shape) * self._field.deviation + self._field.mean
        return {"vectors": vectors, **({"lengths": lengths} if self.sequential else {})}

    def arrays(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return what the network in NumPy reads of the inputs of a graph."""
        name = next(name for name in ("tokens", "vectors", "notes") if name in inputs)
        source = inputs[name]
        if isinstance(self._field, VectorsField):
            source = self._field.normalise(source)
            source = source if self.sequential else source[:, None]
        lengths = inputs["lengths"] if self.sequential else np.ones(len(source), dtype=np.int64)
        return {"source": source, "lengths": lengths}


def random_tokens(lengths: Array, width: int, vocabulary: int, random: np.random.Generator) -> Array:
    """Draw tokens (B, T) up to the `lengths` (B,), and <blank> after them."""
    tokens = random.integers(vocabulary, size=(len(lengths), width))
    tokens[np.arange(width) >= lengths[:, None]] = 0
    return tokens
