"""Reading a batch of sequences of different lengths on a GPU where no kernel of cuDNN computes the cell.

As in `padded.py`, every row runs to the end of the batch, nothing waits for the GPU and all shapes are
those of the batch. A mask keeps the state of a sequence that has ended.

Shapes: B batch, T time, E input size, H hidden size.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqrnn.backends.torch.layer_runners import LayerRunner
from seqrnn.backends.torch.padded import are_full
from seqrnn.backends.torch.states import Layers, sequence_mask
from seqrnn.cells.cell import State


@dataclass(frozen=True)
class Masked:
    """How one batch is read on a GPU."""

    active: Tensor | None  # (T, B); None where no sequence ends before the others
    reversal: Tensor  # (T, B): which step comes at each position when a sequence is read backwards

    @classmethod
    def plan(cls, lengths: Tensor, total: int, device: torch.device) -> Masked:
        """Plan a batch of `lengths` (B,), on any device, padded to `total` steps."""
        ends = lengths.to(device)
        steps = torch.arange(total, device=device).unsqueeze(1)
        reversal = torch.where(steps < ends, ends - 1 - steps, steps)
        active = None if are_full(lengths) else sequence_mask(ends, total, device).transpose(0, 1)
        return cls(active, reversal)

    def enter(self, x: Tensor, states: Layers) -> tuple[Tensor, Layers]:
        """Turn a batch (B, T, E) into (T, B, E)."""
        return x.transpose(0, 1), states

    def leave(self, y: Tensor, states: Layers) -> tuple[Tensor, Layers]:
        """Turn outputs (T, B, H) into (B, T, H)."""
        return y.transpose(0, 1), states

    def reverse_sequences(self, x: Tensor) -> Tensor:
        """Turn every sequence of (T, B, E) around within its own length."""
        return x.gather(0, self.reversal.unsqueeze(2).expand_as(x))

    def drop(self, dropout: nn.Dropout, y: Tensor) -> Tensor:
        """Drop values of (T, B, H)."""
        found: Tensor = dropout(y)
        return found

    def run(self, runner: LayerRunner, layer: nn.Module, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one layer and direction over `x` (T, B, E): outputs (T, B, H), last state."""
        if len(x) == 0:
            return x.new_zeros(0, *state[0].shape), state
        y, new = runner(layer, x, state, self.active)
        if self.active is not None:
            y = y.masked_fill(~self.active.unsqueeze(2), 0.0)
        return y, new
