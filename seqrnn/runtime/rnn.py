"""Layers of any cell over a batch of sequences, one or two directions.

Shapes: B batch, T time, E input size, H hidden size, D directions, G gates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from seqrnn.catalog import CELLS, load
from seqrnn.cells.cell import State
from seqrnn.cells.sizes import RNNSizes
from seqrnn.runtime.inputs import Lookup
from seqrnn.runtime.layer import Layer
from seqrnn.runtime.weights import Array, Take, within

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
        """Return the zero state of every layer and direction, each array (B, H)."""
        return [layer.initial(batch_size) for directions in self.layers for layer in directions]

    def __call__(
        self, x: Array | Lookup, lengths: Array, states: Layers | None = None
    ) -> tuple[Array, Layers]:
        """Read a batch of sequences.

        `x` is (B, T, E), `lengths` (B,). Returns the hidden states of the last layer (B, T, D * H),
        zero where a sequence has ended, and the last state of every sequence in every layer and
        direction. The rows are brought into the order of their lengths, the longest first, so that
        those that run are always the first ones and an ended row costs nothing.
        """
        given = x if isinstance(x, Lookup) else Lookup.all(x)
        order = np.argsort(-lengths, kind="stable")
        back = np.argsort(order)
        alive = running(lengths, given.places.shape[1]).sum(axis=0).tolist()  # rows that run, (T,)
        y = Lookup(given.vectors, given.places[order].T)  # (T, B, E)
        old = self.initial(len(order)) if states is None else reorder(states, order)
        new: Layers = []
        for directions in self.layers:
            outputs = []
            for backward, layer in enumerate(directions):
                output, state = layer.run(y, old[len(new)], _steps(alive, bool(backward)))
                outputs.append(output)
                new.append(state)
            joined = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=2)  # (T, B, D * H)
            y = Lookup.all(joined)
        return joined.swapaxes(0, 1)[back], reorder(new, back)

    def step(self, from_input: Array, states: Layers) -> tuple[Array, Layers]:
        """Go one step: `from_input` (N, G * H) of the first layer -> output (N, H); one direction only."""
        new: Layers = []
        for depth, (layer,) in enumerate(self.layers):
            given = layer.from_input(new[-1][0]) if depth else from_input
            new.append(layer.step(given, states[depth]))
        return new[-1][0], new


def reorder(states: Layers, rows: Array) -> Layers:
    """Take `rows` (N,) of every state."""
    return [tuple(array[rows] for array in state) for state in states]


def running(lengths: Array, total: int) -> Array:
    """Say which of `total` steps each sequence of `lengths` (B,) has: a mask (B, total)."""
    return np.arange(total) < lengths[:, None]


def _steps(alive: Sequence[int], backward: bool) -> Iterable[tuple[int, int]]:
    """Pair each step with the number of rows that run, in the order of a direction.

    Backwards a row begins with its own last step, the first at which it counts among those that run.
    """
    steps = [(step, rows) for step, rows in enumerate(alive) if rows]
    return reversed(steps) if backward else steps
