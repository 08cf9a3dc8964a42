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

from seqrnn.backends.torch.states import Layers

FLAGS = 8  # columns that say that a sequence has ended: as many as keep matrices aligned
SATURATING = 1000.0  # what each of them adds to a gate: the logistic function is 0 or 1 of it


@dataclass(frozen=True)
class Padding:
    """Where the sequences of a batch end, on the device that computes them."""

    lengths: Tensor  # (B,)
    ended: Tensor  # (B, T)
    shifted: Tensor  # (B, T): the step that comes to each position where all sequences end together
    shifted_back: Tensor  # (B, T): the way back

    @classmethod
    def of(cls, lengths: Tensor, total: int) -> Padding:
        """Describe sequences of `lengths` (B,) that are padded to `total` steps."""
        steps, ends = torch.arange(total, device=lengths.device), lengths.unsqueeze(1)
        return cls(lengths, steps >= ends, (steps + ends) % total, (steps + total - ends) % total)

    def to_the_end(self, x: Tensor) -> Tensor:
        """Move every sequence of (B, T, E) so that its last step is the last one of the batch."""
        return x.gather(1, self.shifted.unsqueeze(2).expand_as(x))

    def to_the_start(self, y: Tensor) -> Tensor:
        """Move every sequence of (B, T, H) back."""
        return y.gather(1, self.shifted_back.unsqueeze(2).expand_as(y))

    def mask_finished(self, y: Tensor) -> Tensor:
        """Make (B, T, H) zero where a sequence has ended."""
        return y.masked_fill(self.ended.unsqueeze(2), 0.0)

    def last(self, y: Tensor) -> Tensor:
        """Take each sequence's last output of (B, T, H)."""
        index = (self.lengths - 1).clamp(min=0).view(-1, 1, 1).expand(-1, 1, y.shape[2])
        return y.gather(1, index).squeeze(1)

    def unless_empty(self, state: Tensor, before: Tensor) -> Tensor:
        """Take `state` (B, H), but `before` of a sequence without steps."""
        return torch.where((self.lengths > 0).unsqueeze(1), state, before.to(state.dtype))


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


def run_padded(
    layers: Sequence[Sequence[nn.RNNBase]], x: Tensor, lengths: Tensor, states: Layers, dropout: nn.Dropout
) -> tuple[Tensor, Layers]:
    """Run sequences of `lengths` (B,): `x` (B, T, E) -> outputs (B, T, D * H), last states.

    The outputs are zero where a sequence has ended.
    """
    padding = Padding.of(lengths, x.shape[1])
    new: Layers = []
    for depth, layer in enumerate(layers):
        x = dropout(x) if depth else x
        x, last = _run(layer, x, states[len(new) :][: len(layer)], padding)
        new += last
    return x, new


def _run(layer: Sequence[nn.RNNBase], x: Tensor, states: Layers, padding: Padding) -> tuple[Tensor, Layers]:
    """Run a layer over (B, T, E), both directions in one call.

    The second direction starts at the last step of the batch. So it reads the sequences where all end there,
    beside those that start together: each direction's matrix is zero for what the other one reads.
    """
    both, keeps = len(layer) == 2, len(states[0]) > 1
    inputs = [x, padding.to_the_end(x)] if both else [x]
    if keeps:  # of the output each step is known, of an LSTM's memory only what is left at the end
        ended = [padding.ended, padding.ended.flip(1)] if both else [padding.ended]
        inputs += [part.to(x.dtype).unsqueeze(2).expand(-1, -1, FLAGS) for part in ended]
    weights: list[Tensor] = [parameter for kernel in layer for parameter in kernel.parameters()]
    if len(inputs) > 1:
        weights = _contiguous(_widened(weights, keeps))
    y, last = _call(layer[0], weights, torch.cat(inputs, dim=2), states, (1, both))
    if not both:
        y = padding.mask_finished(y)
        found = [padding.last(y)]
    else:
        forwards, backwards = y.chunk(2, dim=2)
        y = padding.mask_finished(torch.cat([forwards, padding.to_the_start(backwards)], dim=2))
        found = [padding.last(forwards), y[:, 0, forwards.shape[2] :]]
    new = [
        (padding.unless_empty(output, before[0]), *memory)
        for output, before, (_, *memory) in zip(found, states, last, strict=True)
    ]
    return y, new


def _widened(weights: Sequence[Tensor], keeps: bool) -> list[Tensor]:
    """Make the matrices of a layer's directions, four weights each, those of what `_run` lets them read.

    Where `keeps` says so, a flag lets an LSTM keep its memory: no input, nothing forgotten. That is exact,
    `c_t = 1 * c_{t-1} + 0 * g_t`, and so are its gradients.
    """
    found = list(weights)
    for index in range(0, len(weights), 4):
        w_x, w_h = weights[index : index + 2]
        parts = [
            weights[other] if other == index else torch.zeros_like(w_x) for other in range(0, len(weights), 4)
        ]
        if keeps:
            flags = w_x.new_zeros(4, w_h.shape[1], FLAGS)
            flags[0], flags[1] = -SATURATING, SATURATING
            own = flags.flatten(0, 1)
            parts += [own if other == index else torch.zeros_like(own) for other in range(0, len(weights), 4)]
        found[index] = torch.cat(parts, dim=1)
    return found


def _joined(kernels: Sequence[nn.RNNBase]) -> list[Tensor]:
    """Return the weights of all directions and layers in the order of a kernel that runs them in one call."""
    return _contiguous([parameter for kernel in kernels for parameter in kernel.parameters()])


def _contiguous(weights: Sequence[Tensor]) -> list[Tensor]:
    """Put weights into one piece of memory as cuDNN wants them, the matrices before the biases."""
    order = sorted(range(len(weights)), key=lambda index: weights[index].ndim == 1)
    flat = torch.cat([weights[index].reshape(-1) for index in order])
    parts = torch.split(flat, [weights[index].numel() for index in order])
    found = {index: part.view_as(weights[index]) for index, part in zip(order, parts, strict=True)}
    return [found[index] for index in range(len(weights))]


def _call(
    kernel: nn.RNNBase, weights: Sequence[Tensor], x: Tensor, states: Layers, shape: tuple[int, bool]
) -> tuple[Tensor, Layers]:
    """Call the kernel of a class of `torch.nn` with other weights, for `shape` (layers, both directions)."""
    function: Any = getattr(torch, kernel.mode.lower())
    arrays = [torch.stack([part.to(x.dtype) for part in parts]) for parts in zip(*states, strict=True)]
    layers, both_ways = shape
    before = arrays if len(arrays) > 1 else arrays[0]
    y, *last = function(x, before, list(weights), True, layers, 0.0, torch.is_grad_enabled(), both_ways, True)
    return y, list(zip(*last, strict=True))
