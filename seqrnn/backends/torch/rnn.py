"""Layers of any cell over a batch of sequences, one or two directions.

Shapes: B batch, T time, E input size, H hidden size, D directions.
"""

from __future__ import annotations

from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from seqrnn.backends.torch import cell_functions as functions
from seqrnn.backends.torch.directions import BatchReader, Direction, at_the_same_time, one_after_another
from seqrnn.backends.torch.dropout import Dropout
from seqrnn.backends.torch.layer_runners import (
    build_layer,
    choose_packed_runner,
    choose_runner,
    parameters_of,
)
from seqrnn.backends.torch.masked import Masked
from seqrnn.backends.torch.packed import Packed
from seqrnn.backends.torch.padded import are_full, run_full, run_padded
from seqrnn.backends.torch.segments import LONG, Segments
from seqrnn.backends.torch.states import Layers, detach, reorder, sequence_mask
from seqrnn.catalog import CELLS, load
from seqrnn.cells.cell import Cell
from seqrnn.cells.sizes import RNNSizes

WORTH_A_CALL = 300
"""How many rows of all steps must go into a call of an LSTM's kernel, to be faster than as many packed ones.

Measured with 16 to 128 rows and 50 to 320 units: a call takes 1 to 3 ms, there and back, before it computes
anything, and a packed step 0.1 to 0.8 ms more than one of a kernel.
"""

Runner = TypeVar("Runner")

__all__ = ["RNN", "Layers", "detach", "reorder", "sequence_mask"]


class RNN(nn.Module):
    """A stack of `cell`, each layer and direction with parameters of its own.

    Dropout between the layers is a module, so that its randomness comes from PyTorch's generator and a
    resumed training repeats it.
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
        self.both_at_once = False  # two directions, in two threads
        self.runner = choose_runner(self.cell)
        self.packed_runner = choose_packed_runner(self.cell)
        self.layers = nn.ModuleList(
            nn.ModuleList(build_layer(self.cell, size, sizes.hidden_size) for _ in range(sizes.directions))
            for size in sizes.input_sizes
        )
        self.dropout = Dropout(sizes.dropout)

    def initial(self, batch_size: int) -> Layers:
        """Return the zero state of every layer and direction, each array (B, ...) as the cell has them."""
        like = cast(Tensor, next(self.parameters()))
        shapes = self.cell.state(self.sizes.hidden_size).values()
        state = tuple(like.new_zeros(batch_size, *shape) for shape in shapes)
        return [state] * (self.sizes.num_layers * self.sizes.directions)

    def forward(self, x: Tensor, lengths: Tensor, states: Layers | None = None) -> tuple[Tensor, Layers]:
        """Read a batch of sequences.

        `x` is (B, T, E), `lengths` (B,) an int64 tensor, on the CPU where that computes. Returns the hidden
        states of the last layer (B, T, D * H), zero where a sequence has ended, and the last state of
        every sequence in every layer and direction.
        """
        old = self.initial(x.shape[0]) if states is None else states
        return self._run_on_gpu(x, lengths, old) if x.is_cuda else self._run_on_cpu(x, lengths, old)

    def _run_on_gpu(self, x: Tensor, lengths: Tensor, old: Layers) -> tuple[Tensor, Layers]:
        """Read a batch in calls of cuDNN, or under a mask."""
        if self.cell.torch_kernel is None:
            return self._run_layers(Masked.plan(lengths, x.shape[1], x.device), self.runner, x, old)
        layers = cast(list[list[nn.RNNBase]], self.layers)
        if x.shape[1] == 0:
            return x.new_zeros(x.shape[0], 0, self.sizes.output_size), old
        if are_full(lengths):
            return run_full(layers, x, old, self.dropout)
        return run_padded(layers, x, lengths.to(x.device), old, self.dropout)

    def _run_on_cpu(self, x: Tensor, lengths: Tensor, old: Layers) -> tuple[Tensor, Layers]:
        """Read a batch over packed rows, or piece by piece."""
        if self.packed_runner is not None and self.shrink and self._is_faster_packed(x, lengths):
            return self._run_layers(Packed.plan(lengths, x.shape[1]), self.packed_runner, x, old)
        return self._run_layers(Segments.plan(lengths, x.shape[1], self.shrink), self.runner, x, old)

    def _run_layers(
        self, reader: BatchReader[Runner], runner: Runner, x: Tensor, old: Layers
    ) -> tuple[Tensor, Layers]:
        """Read a batch (B, T, E), one layer and direction after the other."""
        y, old = reader.enter(x, old)
        new: Layers = []
        for depth, layer in enumerate(cast(list[nn.ModuleList], self.layers)):
            y = reader.drop(self.dropout, y) if depth else y
            directions = [Direction(reader, runner, p, bool(number)) for number, p in enumerate(layer)]
            together = self.both_at_once and len(directions) == 2
            run = at_the_same_time if together else one_after_another
            outputs, states = run(directions, y, old[len(new) : len(new) + len(directions)])
            new += states
            y = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=-1)
        return reader.leave(y, new)

    def _is_faster_packed(self, x: Tensor, lengths: Tensor) -> bool:
        """Whether packed rows take less time than kernels for each piece; only these know bfloat16.

        Without gradients one call of a kernel is always faster: at 1 x 64 steps 1.3 to 4 times.
        """
        if not 0 < x.shape[1] <= LONG or torch.is_autocast_enabled("cpu"):
            return False
        calls = len({*lengths.tolist()} - {0})
        if calls == 1 and not torch.is_grad_enabled():
            return False
        return self.cell.torch_kernel != "LSTM" or int(lengths.sum()) < WORTH_A_CALL * calls

    def step(self, x: Tensor, states: Layers) -> tuple[Tensor, Layers]:
        """Go one step with the cell's formula: `x` (B, E) -> output (B, H); one direction only."""
        new: Layers = []
        for depth, (layer,) in enumerate(cast(list[list[nn.Module]], self.layers)):
            x = self.dropout(x) if depth else x
            p = parameters_of(layer)
            projected = self.cell.project(functions, p, x)
            new.append(self.cell.step(functions, p, projected, states[depth]))
            x = new[-1][0]
        return x, new
