"""Reading a batch of sequences of different lengths on a CPU, of each step only the rows that have not ended.

The rows of all steps are packed one after the other, without padding: those of the first step, the longest
sequence first, then those of the second, and so on. The rows of a step are the first ones of the step before
it, so a sequence that has ended costs nothing, and it does not matter where the others end.

Shapes: B batch, T time, E input size, H hidden size; N steps of all sequences together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from seqrnn.backends.torch.embedding import Lookup, lookup_of, note_lookup
from seqrnn.backends.torch.layer_runners import PackedSteps
from seqrnn.backends.torch.states import Layers, reorder
from seqrnn.backends.torch.stepwise import Steps
from seqrnn.cells.cell import State


@dataclass(frozen=True)
class Packed:
    """How one batch is read."""

    steps: Steps
    shape: tuple[int, int]  # B, T
    order: Tensor | None  # (B,): the rows, longest first, or None where they are in order already
    batch_index: Tensor  # (N,): where each packed row is in the batch, as rows (B * T)
    packed_index: Tensor  # (B * T,): and back; N where a sequence has ended
    step_index: Tensor  # (N,): the same as rows (T * B)
    packed_index_by_step: Tensor  # (T * B,)
    reversal: Tensor  # (N,): which packed row is read instead of it backwards

    @classmethod
    def plan(cls, lengths: Tensor, total: int) -> Packed:
        """Plan a batch of `lengths` (B,), an int64 tensor on the CPU, padded to `total` steps."""
        descending, order = lengths.sort(descending=True, stable=True)
        in_order = bool((lengths[1:] <= lengths[:-1]).all())
        steps = Steps.of(descending)
        row, step = steps.rows, steps.numbers
        by_row, by_step = order[row] * total + step, step * len(lengths) + order[row]
        back = [
            torch.full((len(lengths) * total,), len(row)).index_copy_(0, index, torch.arange(len(row)))
            for index in (by_row, by_step)
        ]
        reversal = steps.starts[descending[row] - 1 - step] + row
        moves = by_row, back[0], by_step, back[1], reversal
        return cls(steps, (len(lengths), total), None if in_order else order, *moves)

    def enter(self, x: Tensor, states: Layers) -> tuple[Tensor, Layers]:
        """Pack a batch (B, T, E): (N, E), and put its states in order."""
        packed = _moved(x.flatten(0, 1), self.batch_index, self.packed_index)
        if (lookup := lookup_of(x)) is not None:
            note_lookup(packed, Lookup(lookup.table, lookup.tokens.flatten()[self.batch_index]))
        return packed, states if self.order is None else reorder(states, self.order)

    def leave(self, y: Tensor, states: Layers) -> tuple[Tensor, Layers]:
        """Bring outputs (N, H) back into the batch, (B, T, H), and states into the order of the batch.

        In memory the steps come first, as with kernels: dropout draws its numbers in the order of the memory.
        """
        batch_size, total = self.shape
        padded = _moved(y, self.packed_index_by_step, self.step_index)
        padded = padded.view(total, batch_size, y.shape[1]).transpose(0, 1)
        return padded, states if self.order is None else reorder(states, self.order.argsort())

    def reverse_sequences(self, x: Tensor) -> Tensor:
        """Turn every sequence of (N, E) around."""
        turned = _moved(x, self.reversal, self.reversal)
        if (lookup := lookup_of(x)) is not None:
            note_lookup(turned, Lookup(lookup.table, lookup.tokens[self.reversal]))
        return turned

    def drop(self, dropout: nn.Dropout, y: Tensor) -> Tensor:
        """Drop values of (N, H), those that would be dropped of (T, B, H)."""
        if not (dropout.training and dropout.p):
            return y
        batch_size, total = self.shape
        at = self.steps.numbers * batch_size + self.steps.rows
        kept: Tensor = dropout(y.new_ones(total * batch_size, y.shape[1]))
        return y * kept.index_select(0, at)

    def run(self, runner: PackedSteps, layer: nn.Module, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one layer and direction over `x` (N, E): outputs (N, H), last state."""
        return runner(layer, x, state, self.steps)


class _Moved(torch.autograd.Function):
    """Rows of (M, E) in another order, (N, E): backwards they move back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, there: Tensor, back: Tensor) -> Tensor:
        """Take the rows `there` (N,), zeros for M, the number after the last."""
        ctx.save_for_backward(back)
        return _rows(x, there)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Take the rows `back` (M,)."""
        (back,) = ctx.saved_tensors
        return _rows(gradient, back), None, None


def _rows(x: Tensor, there: Tensor) -> Tensor:
    """Take rows of `x` (M, E), zeros for M."""
    if len(there) > len(x):  # some are zeros
        x = torch.cat([x, x.new_zeros(1, x.shape[1])])
    return x.index_select(0, there)


def _moved(x: Tensor, there: Tensor, back: Tensor) -> Tensor:
    found: Tensor = _Moved.apply(x, there, back)  # type: ignore[no-untyped-call]
    return found
