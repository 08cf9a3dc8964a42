"""Running a batch of sequences of different lengths on a GPU: every row to the end of the batch.

A GPU computes a step of many rows in the time of one, so what counts is how many steps follow one another and
how many kernels are called. Each direction of a layer is therefore one call of cuDNN over all rows; what it
computes after the end of a sequence is left out of its outputs and its last state. Nothing here waits for the
GPU, and all shapes are those of the batch, so a CUDA graph can hold it. Where no sequence ends before the
others, all directions, and without dropout all layers, are one call.

Shapes: B batch, T time, E input size, H hidden size, D directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from seqrnn.cells.cell import State

Layers = list[State]

FLAGS = 8  # columns that say that a sequence has ended: as many as keep matrices aligned
SURE = 1000.0  # what each of them adds to a gate: the logistic function is 0 or 1 of it


@dataclass(frozen=True)
class Filling:
    """Where the sequences of a batch end, on the device that computes them."""

    lengths: Tensor  # (B,)
    ended: Tensor  # (B, T)
    reversal: Tensor  # (B, T): where step t of a sequence read backwards stands

    @classmethod
    def of(cls, lengths: Tensor, total: int) -> Filling:
        """Describe sequences of `lengths` (B,) that are filled to `total` steps."""
        steps, ends = torch.arange(total, device=lengths.device), lengths.unsqueeze(1)
        return cls(lengths, steps >= ends, torch.where(steps < ends, ends - 1 - steps, steps))

    def reverse(self, x: Tensor) -> Tensor:
        """Turn every sequence of (B, T, E) around within its own length."""
        return x.gather(1, self.reversal.unsqueeze(2).expand_as(x))

    def silence(self, y: Tensor) -> Tensor:
        """Make (B, T, H) zero where a sequence has ended."""
        return y.masked_fill(self.ended.unsqueeze(2), 0.0)

    def last(self, y: Tensor, before: Tensor) -> Tensor:
        """Take each sequence's last output of (B, T, H); of one without steps the state `before`, (B, H)."""
        index = (self.lengths - 1).clamp(min=0).view(-1, 1, 1).expand(-1, 1, y.shape[2])
        found = y.gather(1, index).squeeze(1)
        return torch.where((self.lengths > 0).unsqueeze(1), found, before.to(y.dtype))


def full_lengths(rows: int, steps: int, device: torch.device) -> Tensor:
    """Return the lengths (B,) of sequences that all have every step of their batch.

    They are one number seen `rows` times, by which `are_full` knows them without a look at the device.
    """
    return torch.full((), steps, device=device).expand(rows)


def are_full(lengths: Tensor) -> bool:
    """Whether `full_lengths` made them."""
    return lengths.stride() == (0,)


def run_full(
    layers: Sequence[Sequence[nn.RNNBase]], x: Tensor, states: Layers, dropout: nn.Dropout
) -> tuple[Tensor, Layers]:
    """Run sequences that all have every step: `x` (B, T, E) -> outputs (B, T, D * H), last states."""
    together = len(layers) if not (dropout.training and dropout.p) else 1
    new: Layers = []
    for depth in range(0, len(layers), together):
        kernels = [kernel for layer in layers[depth : depth + together] for kernel in layer]
        x = dropout(x) if depth else x
        before = states[depth * len(layers[0]) :][: len(kernels)]
        weights: Sequence[Tensor] = _joined(kernels) if len(kernels) > 1 else tuple(kernels[0].parameters())
        x, last = _call(kernels[0], weights, x, before, (together, len(layers[0]) == 2))
        new += last
    return x, new


def run_filled(
    layers: Sequence[Sequence[nn.RNNBase]], x: Tensor, lengths: Tensor, states: Layers, dropout: nn.Dropout
) -> tuple[Tensor, Layers]:
    """Run sequences of `lengths` (B,): `x` (B, T, E) -> outputs (B, T, D * H), last states.

    The outputs are zero where a sequence has ended.
    """
    filling = Filling.of(lengths, x.shape[1])
    new: Layers = []
    for depth, layer in enumerate(layers):
        x = dropout(x) if depth else x
        outputs = []
        for backward, kernel in enumerate(layer):
            sequence = filling.reverse(x) if backward else x
            output, state = _run(kernel, sequence, states[len(new)], filling)
            outputs.append(filling.reverse(output) if backward else output)
            new.append(state)
        x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=2)
    return x, new


def _run(kernel: nn.RNNBase, x: Tensor, state: State, filling: Filling) -> tuple[Tensor, State]:
    """Run one direction of one layer over (B, T, E)."""
    weights: Sequence[Tensor] = tuple(kernel.parameters())
    if len(state) > 1:  # of the output each step is known, of an LSTM's memory only what is left at the end
        flags = filling.ended.to(x.dtype).unsqueeze(2).expand(-1, -1, FLAGS)
        x, weights = torch.cat([x, flags], dim=2), _keeping(weights)
    y, ((_, *memory),) = _call(kernel, weights, x, [state], (1, False))
    y = filling.silence(y)
    return y, (filling.last(y, state[0]), *memory)


def _keeping(weights: Sequence[Tensor]) -> list[Tensor]:
    """Let an LSTM keep its memory where the flags are 1: no input, nothing forgotten.

    `c_t = 1 * c_{t-1} + 0 * g_t` is exact, and so is its gradient.
    """
    w_x, w_h, b_x, b_h = weights
    flags = w_x.new_zeros(4, w_h.shape[1], FLAGS)
    flags[0], flags[1] = -SURE, SURE
    return _contiguous([torch.cat([w_x, flags.flatten(0, 1)], dim=1), w_h, b_x, b_h])


def _joined(kernels: Sequence[nn.RNNBase]) -> list[Tensor]:
    """Return the weights of all directions and layers in the order of a kernel that runs them in one call."""
    return _contiguous([parameter for kernel in kernels for parameter in kernel.parameters()])


def _contiguous(weights: Sequence[Tensor]) -> list[Tensor]:
    """Put weights into one piece of memory as cuDNN wants them, the matrices before the biases."""
    order = sorted(range(len(weights)), key=lambda place: weights[place].ndim == 1)
    flat = torch.cat([weights[place].reshape(-1) for place in order])
    parts = torch.split(flat, [weights[place].numel() for place in order])
    found = {place: part.view_as(weights[place]) for place, part in zip(order, parts, strict=True)}
    return [found[place] for place in range(len(weights))]


def _call(
    kernel: nn.RNNBase, weights: Sequence[Tensor], x: Tensor, states: Layers, shape: tuple[int, bool]
) -> tuple[Tensor, Layers]:
    """Call the kernel of a class of `torch.nn` with other weights, for `shape` (layers, both directions)."""
    function: Any = getattr(torch, kernel.mode.lower())
    arrays = [torch.stack([part.to(x.dtype) for part in parts]) for parts in zip(*states, strict=True)]
    layers, both_ways = shape
    before = arrays if len(arrays) > 1 else arrays[0]
    y, *last = function(x, before, list(weights), True, layers, 0.0, kernel.training, both_ways, True)
    return y, list(zip(*last, strict=True))
