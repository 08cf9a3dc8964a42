"""Layers of any cell over a batch of sequences, one or two directions.

Shapes: B batch, T time, E input size, H hidden size, D directions, P numbers of a projection.
"""

from __future__ import annotations

import math

import numpy as np

from seqrnn.backends.numpy.inputs import IndexedSequence, joined
from seqrnn.backends.numpy.layer import Brought, Layer
from seqrnn.backends.numpy.lengths import reverse_sequences, sequence_mask
from seqrnn.backends.numpy.prefixes import NOTHING, PrefixTree
from seqrnn.backends.numpy.weights import Array, Take, within
from seqrnn.catalog import CELLS, load
from seqrnn.cells.cell import State
from seqrnn.cells.sizes import RNNSizes

MAX_STEPS = 2**14  # that are read at a time
Layers = list[State]  # one state a layer and direction: layer 0 forward, layer 0 backward, layer 1 ...


class RNN:
    """A stack of `cell`."""

    def __init__(self, take: Take, cell: str, sizes: RNNSizes) -> None:
        self.sizes = sizes
        self.layers = [
            [
                Layer(within(take, f"layers.{depth}.{direction}"), load(CELLS[cell]), size, sizes.hidden_size)
                for direction in range(sizes.directions)
            ]
            for depth, size in enumerate(sizes.input_sizes)
        ]

    def initial(self, batch_size: int) -> Layers:
        """Return the zero state of every layer and direction, each array (B, ...) as the cell has them."""
        return [layer.initial(batch_size) for directions in self.layers for layer in directions]

    def __call__(
        self, x: Array | IndexedSequence, lengths: Array, states: Layers | None = None
    ) -> tuple[IndexedSequence, Layers]:
        """Read a batch of sequences.

        `x` is (B, T, E), dense or as an `IndexedSequence`, `lengths` (B,). Returns the hidden states of the
        last layer as an `IndexedSequence` (B, T, D * H), zero where a sequence has ended, and the last state
        of every sequence in every layer and direction. A sequence that has ended costs nothing, and what
        several begin with, or end with where they are read backwards, is computed once.
        """
        y = x if isinstance(x, IndexedSequence) else IndexedSequence.all(x)
        new: Layers = []
        for directions in self.layers:
            outputs = []
            for layer, backward in zip(directions, (False, True), strict=False):
                state = None if states is None else states[len(new)]
                output, last = _read(layer, y, lengths, state, backward)
                outputs.append(output)
                new.append(last)
            y = outputs[0] if len(outputs) == 1 else joined(outputs)
        return y, new

    def step(self, projected: Array, states: Layers) -> tuple[Array, Layers]:
        """Go one step: the first layer's projection (N, P) of the input -> output (N, H); one direction."""
        new: Layers = []
        for depth, (layer,) in enumerate(self.layers):
            given = layer.project(new[-1][0]) if depth else projected
            new.append(layer.step(given, states[depth]))
        return new[-1][0], new


def reorder(states: Layers, rows: Array) -> Layers:
    """Take `rows` (N,) of every state."""
    return [tuple(array[rows] for array in state) for state in states]


def _read(
    layer: Layer, x: IndexedSequence, lengths: Array, state: State | None, backward: bool
) -> tuple[IndexedSequence, State]:
    """Read a batch in one direction, from a `state` or nothing: the hidden states, and the last one."""
    reads = reverse_sequences(x.index, lengths) if backward else x.index
    brought = layer.bring(x)
    if reads.shape[1] <= _max_steps(layer):
        hidden, last = _read_steps(layer, brought, reads, lengths, state)
    else:
        hidden, last = _read_long(layer, brought, reads, lengths, state)
    if backward:
        hidden = IndexedSequence(hidden.vectors, reverse_sequences(hidden.index, lengths))
    return hidden, last


def _read_steps(
    layer: Layer, brought: Brought, reads: Array, lengths: Array, state: State | None
) -> tuple[IndexedSequence, State]:
    """Read the vectors numbered `reads` (B, T): the hidden states in that order, and the last one."""
    roots = layer.initial(1)  # the first is that of nothing
    starts = np.zeros(len(lengths), dtype=np.int64)
    if state is not None:
        roots = tuple(np.concatenate(pair) for pair in zip(roots, state, strict=True))
        starts = np.arange(1, len(lengths) + 1)
    tree = PrefixTree.of(reads, lengths, starts)
    states = layer.run(brought, tree, roots)
    return IndexedSequence(states[0], tree.node_ids), tuple(array[tree.last] for array in states)


def _read_long(
    layer: Layer, brought: Brought, reads: Array, lengths: Array, state: State | None
) -> tuple[IndexedSequence, State]:
    """Do as `_read_steps`, a part at a time: of those before, the hidden states alone are kept."""
    state = layer.initial(len(lengths)) if state is None else state
    vectors, index, count = [], [], 0
    steps = _max_steps(layer)
    for start in range(0, reads.shape[1], steps):
        part = reads[:, start : start + steps]
        left = np.clip(lengths - start, 0, steps)
        hidden, state = _read_steps(layer, brought, part, left, state)
        vectors.append(hidden.vectors)
        index.append(np.where(sequence_mask(left, part.shape[1]), hidden.index + count, NOTHING))
        count += len(hidden.vectors)
    return IndexedSequence(np.concatenate(vectors), np.concatenate(index, axis=1)), state


def _max_steps(layer: Layer) -> int:
    """Return how many steps are read at a time: fewer where a state is much more than the output h."""
    numbers = sum(map(math.prod, layer.state_shapes))
    (hidden_size,) = layer.state_shapes[0]
    return max(1, MAX_STEPS // max(1, numbers // (4 * hidden_size)))
