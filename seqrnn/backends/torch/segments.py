"""Cutting a batch of sequences of different lengths into pieces whose rows all run to the end.

A fused kernel runs all rows of a batch for the same number of steps. Between two neighbouring
lengths that occur in the batch nothing ends, so there it may run; at the boundary the rows that
have ended keep their state. A long stretch is cut as well, since the kernel keeps all gates of all its
steps while it runs. That gives exact last states without a mask inside the recurrence and
without packed sequences, which on the CPU leave the fast kernel.

Shapes: B batch, T time, E input size, H hidden size; t steps of a piece, b its rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqrnn.backends.torch.layer_runners import LayerRunner
from seqrnn.backends.torch.states import Layers, reorder
from seqrnn.cells.cell import State

LONG = 2**12  # steps of one piece, at most


@dataclass(frozen=True)
class Segment:
    """Steps `start` to `stop` (exclusive), in which the first `active_rows` have not ended."""

    start: int
    stop: int
    active_rows: int


@dataclass(frozen=True)
class Segments:
    """How one batch is read on a CPU: its rows in order, longest first, and the pieces in time."""

    order: Tensor | None  # (B,), or None where the rows are in order already
    reversal: Tensor  # (T, B): which step comes at each position when a sequence is read backwards
    pieces: tuple[Segment, ...]
    drop_finished_rows: bool = True
    """Whether a sequence that has ended costs no more computation, or all rows are computed to the end."""

    @classmethod
    def plan(cls, lengths: Tensor, total: int, drop_finished_rows: bool = True) -> Segments:
        """Plan a batch of `lengths` (B,), an int64 tensor on the CPU, padded to `total` steps."""
        descending, order = lengths.sort(descending=True, stable=True)
        in_order = bool((lengths[1:] <= lengths[:-1]).all())
        steps = torch.arange(total).unsqueeze(1)  # (T, 1)
        reversal = torch.where(steps < descending, descending - 1 - steps, steps)
        stops = sorted({*descending.tolist(), *range(LONG, total, LONG), total} - {0})
        starts = [0, *stops[:-1]]
        active = [int((descending > start).sum()) for start in starts]
        pieces = tuple(map(Segment, starts, stops, active))
        return cls(None if in_order else order, reversal, pieces, drop_finished_rows)

    def enter(self, x: Tensor, states: Layers) -> tuple[Tensor, Layers]:
        """Put a batch (B, T, E) and its states in order: (T, B, E), and the states."""
        x = x.transpose(0, 1)
        if self.order is None:
            return x, states
        order = self.order.to(x.device)
        return x.index_select(1, order), reorder(states, order)

    def leave(self, y: Tensor, states: Layers) -> tuple[Tensor, Layers]:
        """Put outputs (T, B, H) and states back into the order of the batch: (B, T, H), and the states."""
        if self.order is not None:
            back = self.order.argsort().to(y.device)
            y, states = y.index_select(1, back), reorder(states, back)
        return y.transpose(0, 1), states

    def reverse_sequences(self, x: Tensor) -> Tensor:
        """Turn every sequence of (T, B, E) around within its own length."""
        return x.gather(0, self.reversal.to(x.device).unsqueeze(2).expand_as(x))

    def drop(self, dropout: nn.Dropout, y: Tensor) -> Tensor:
        """Drop values of (T, B, H)."""
        found: Tensor = dropout(y)
        return found

    def run(self, runner: LayerRunner, layer: nn.Module, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one layer and direction over `x` (T, B, E), piece by piece: outputs (T, B, H), last state."""
        outputs: list[Tensor] = []
        batch_size, hidden_size = state[0].shape
        for piece in self.pieces:
            rows = piece.active_rows if self.drop_finished_rows else batch_size
            if rows == 0:
                outputs.append(x.new_zeros(piece.stop - piece.start, batch_size, hidden_size))
                continue
            steps = x[piece.start : piece.stop, :rows]
            y, new = runner(layer, steps, tuple(array[:rows] for array in state))
            outputs.append(_mask_finished(y, piece.active_rows, batch_size))
            state = _keep_finished_states(new, state, piece.active_rows)
        if not outputs:  # no sequence has a first step
            return x.new_zeros(0, batch_size, hidden_size), state
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs), state


def _mask_finished(y: Tensor, active_rows: int, rows: int) -> Tensor:
    """Make the outputs (t, b, H) of a piece zero where a sequence has ended, and `rows` rows wide."""
    if active_rows == rows:
        return y
    return F.pad(y[:, :active_rows], (0, 0, 0, rows - active_rows))


def _keep_finished_states(new: State, old: State, active_rows: int) -> State:
    """Take the first `active_rows` rows of the new state and the rest of the old one."""
    if active_rows == old[0].shape[0]:
        return new
    return tuple(
        torch.cat([n[:active_rows], o[active_rows:].to(n.dtype)]) for n, o in zip(new, old, strict=True)
    )
