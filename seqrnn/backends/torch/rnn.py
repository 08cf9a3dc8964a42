"""Layers of any cell over a batch of sequences, one or two directions.

Shapes: B batch, T time, E input size, H hidden size, D directions.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqrnn.backends.torch.filled import are_full, run_filled, run_full
from seqrnn.backends.torch.segments import Segment, Segments
from seqrnn.catalog import CELLS, load
from seqrnn.cells.cell import Cell, State
from seqrnn.cells.sizes import RNNSizes

Layers = list[State]  # one state a layer and direction: layer 0 forward, layer 0 backward, layer 1 ...


class RNN(nn.Module):
    """A stack of `cell`, each layer and direction a fused kernel of its own.

    Dropout stands between the layers as a module, so that its randomness comes from PyTorch's
    generator and a resumed training repeats it.
    """

    def __init__(self, cell: str, sizes: RNNSizes, shrink: bool = True) -> None:
        """With `shrink` a sequence that has ended costs no more computation (`data.lengths`: dynamic).

        Without it all rows are computed to the end of the batch and what is too much is
        discarded (`data.lengths`: blank); outputs and gradients are the same.
        """
        super().__init__()
        self.cell: type[Cell] = load(CELLS[cell])
        self.sizes = sizes
        self.shrink = shrink
        kernel = getattr(nn, self.cell.fused)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                kernel(size, sizes.hidden_size, **self.cell.fused_options) for _ in range(sizes.directions)
            )
            for size in sizes.input_sizes
        )
        self.dropout = nn.Dropout(sizes.dropout)

    def initial(self, batch_size: int) -> Layers:
        """Return the zero state of every layer and direction, each array (B, H)."""
        like = cast(Tensor, next(self.parameters()))
        zeros = like.new_zeros(batch_size, self.sizes.hidden_size)
        state = (zeros,) * len(self.cell.state_names)
        return [state] * (self.sizes.num_layers * self.sizes.directions)

    def forward(self, x: Tensor, lengths: Tensor, states: Layers | None = None) -> tuple[Tensor, Layers]:
        """Read a batch of sequences.

        `x` is (B, T, E), `lengths` (B,) an int64 tensor, on the CPU where that computes. Returns the hidden
        states of the last layer (B, T, D * H), zero where a sequence has ended, and the last state of
        every sequence in every layer and direction.
        """
        old = self.initial(x.shape[0]) if states is None else states
        run = self._run_filled if x.is_cuda else self._run_segments
        return run(x, lengths, old)

    def _run_filled(self, x: Tensor, lengths: Tensor, old: Layers) -> tuple[Tensor, Layers]:
        """Read a batch on a GPU."""
        layers = cast(list[list[nn.RNNBase]], self.layers)
        if x.shape[1] == 0:
            return x.new_zeros(x.shape[0], 0, self.sizes.output_size), old
        if are_full(lengths):
            return run_full(layers, x, old, self.dropout)
        return run_filled(layers, x, lengths.to(x.device), old, self.dropout)

    def _run_segments(self, x: Tensor, lengths: Tensor, old: Layers) -> tuple[Tensor, Layers]:
        """Read a batch on the CPU, piece by piece."""
        plan = Segments.plan(lengths, x.shape[1])
        y = x.transpose(0, 1)  # (T, B, E)
        if plan.order is not None:
            y = y.index_select(1, plan.order.to(x.device))
            old = reorder(old, plan.order.to(x.device))
        new: Layers = []
        for depth, layer in enumerate(cast(list[nn.ModuleList], self.layers)):
            y = self.dropout(y) if depth else y
            outputs = []
            for backward, kernel in enumerate(layer):
                sequence = _reverse(y, plan) if backward else y
                output, state = self._run(kernel, sequence, old[len(new)], plan)
                outputs.append(_reverse(output, plan) if backward else output)
                new.append(state)
            y = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=2)
        if plan.order is not None:
            back = plan.order.argsort().to(x.device)
            y, new = y.index_select(1, back), reorder(new, back)
        return y.transpose(0, 1), new

    def _run(self, kernel: nn.Module, x: Tensor, state: State, plan: Segments) -> tuple[Tensor, State]:
        """Run one fused kernel over `x` (T, B, E), rows longest first, piece by piece."""
        outputs: list[Tensor] = []
        for piece in plan.pieces:
            rows = piece.alive if self.shrink else x.shape[1]
            if rows == 0:
                outputs.append(x.new_zeros(piece.stop - piece.start, x.shape[1], self.sizes.hidden_size))
                continue
            y, new = self._kernel(kernel, x[piece.start : piece.stop, :rows], [s[:rows] for s in state])
            outputs.append(_silence(y, piece, x.shape[1]))
            state = _keep(new, state, piece.alive)
        if not outputs:  # no sequence has a first step
            return x.new_zeros(0, x.shape[1], self.sizes.hidden_size), state
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs), state

    def _kernel(self, kernel: nn.Module, x: Tensor, state: list[Tensor]) -> tuple[Tensor, State]:
        """Call a fused kernel, whose states have a leading axis of layers and lose their tuple if single."""
        layered = tuple(array.unsqueeze(0).to(x.dtype) for array in state)
        y, new = kernel(x, layered if len(layered) > 1 else layered[0])
        arrays = new if isinstance(new, tuple) else (new,)
        return y, tuple(array.squeeze(0) for array in arrays)

    def step(self, x: Tensor, states: Layers) -> tuple[Tensor, Layers]:
        """Go one step with the cell's formula: `x` (B, E) -> output (B, H); one direction only."""
        new: Layers = []
        for depth, (kernel,) in enumerate(cast(list[list[nn.RNNBase]], self.layers)):
            x = self.dropout(x) if depth else x
            w_x, w_h, b_x, b_h = cast(tuple[Tensor, ...], tuple(kernel.parameters()))
            from_input = F.linear(x, w_x, b_x)
            from_state = F.linear(states[depth][0], w_h, b_h)
            new.append(self.cell.step(torch, from_input, from_state, states[depth]))
            x = new[-1][0]
        return x, new


def reorder(states: Layers, rows: Tensor) -> Layers:
    """Take `rows` (N,) of every state."""
    return [tuple(array.index_select(0, rows) for array in state) for state in states]


def sequence_mask(lengths: Tensor, total: int, device: torch.device) -> Tensor:
    """Say which of `total` steps each sequence of `lengths` (B,) has: a mask (B, total) on `device`."""
    return torch.arange(total, device=device) < lengths.to(device).unsqueeze(1)


def detach(states: Layers) -> Layers:
    """Cut the states off from the graph that made them: back-propagation ends here."""
    return [tuple(array.detach() for array in state) for state in states]


def _reverse(x: Tensor, plan: Segments) -> Tensor:
    """Turn every sequence of (T, B, E) around within its own length."""
    index = plan.reversal.to(x.device).unsqueeze(2).expand_as(x)
    return x.gather(0, index)


def _silence(y: Tensor, piece: Segment, rows: int) -> Tensor:
    """Make the outputs (t, b, H) of a piece zero where a sequence has ended, and `rows` rows wide."""
    if piece.alive == rows:
        return y
    return F.pad(y[:, : piece.alive], (0, 0, 0, rows - piece.alive))


def _keep(new: State, old: State, alive: int) -> State:
    """Take the first `alive` rows of the new state and the rest of the old one."""
    if alive == old[0].shape[0]:
        return new
    return tuple(torch.cat([n[:alive], o[alive:].to(n.dtype)]) for n, o in zip(new, old, strict=True))
