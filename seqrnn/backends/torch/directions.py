"""The directions of one layer over a batch: one after the other, or both at the same time.

Shapes: B batch, T time, E input size, H hidden size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from torch import Tensor, nn

from seqrnn.backends.torch.embedding import Lookup, lookup_of, note_lookup
from seqrnn.backends.torch.side_by_side import Branch, side_by_side
from seqrnn.backends.torch.states import Layers
from seqrnn.cells.cell import State

Runner_contra = TypeVar("Runner_contra", contravariant=True)
Runner = TypeVar("Runner")


class BatchReader(Protocol[Runner_contra]):
    """How the sequences of one batch, of different lengths, are read: `Segments`, `Packed` or `Masked`.

    Between `enter` and `leave` an array is (T, B, ...), or packed (N, ...).
    """

    def enter(self, x: Tensor, states: Layers) -> tuple[Tensor, Layers]:
        """Bring a batch (B, T, E) and its states into the order in which they are read."""

    def leave(self, y: Tensor, states: Layers) -> tuple[Tensor, Layers]:
        """Bring outputs and states back, (B, T, H)."""

    def reverse_sequences(self, x: Tensor) -> Tensor:
        """Turn every sequence around within its own length."""

    def drop(self, dropout: nn.Dropout, y: Tensor) -> Tensor:
        """Drop values between two layers."""

    def run(self, runner: Runner_contra, layer: nn.Module, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one layer and direction: outputs, 0 after an end, and the last state."""


@dataclass(frozen=True)
class Direction(Generic[Runner]):
    """One direction of a layer, over one batch."""

    reader: BatchReader[Runner]
    runner: Runner
    parameters: nn.Module
    is_backward: bool

    def __call__(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Read a batch as the reader has it, from a state: the outputs and the last state."""
        x = self.reader.reverse_sequences(x) if self.is_backward else x
        y, last = self.reader.run(self.runner, self.parameters, x, state)
        return self.reader.reverse_sequences(y) if self.is_backward else y, last


def one_after_another(
    directions: Sequence[Direction[Runner]], x: Tensor, states: Layers
) -> tuple[list[Tensor], Layers]:
    """Return the outputs and the last state of each direction."""
    found = [direction(x, state) for direction, state in zip(directions, states, strict=True)]
    return [y for y, _ in found], [state for _, state in found]


def at_the_same_time(
    directions: Sequence[Direction[Runner]], x: Tensor, states: Layers
) -> tuple[list[Tensor], Layers]:
    """Return what `one_after_another` does for two directions, on two cores."""
    first, second = (
        _branch(direction, x, state) for direction, state in zip(directions, states, strict=True)
    )
    found = side_by_side(first, second)
    return [y for y, *_ in found], [tuple(state) for _, *state in found]


def _branch(direction: Direction[Runner], x: Tensor, state: State) -> Branch:
    """Make one direction a branch, which gets what `x` was looked up in as well, if that is known."""
    lookup = lookup_of(x)
    looked_up = [] if lookup is None else [lookup.table]

    def compute(inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        x, *rest = inputs
        if lookup is not None:
            note_lookup(x, Lookup(rest.pop(0), lookup.tokens))
        y, last = direction(x, tuple(rest))
        return y, *last

    return Branch(compute, (x, *looked_up, *state), tuple(direction.parameters.parameters()))
