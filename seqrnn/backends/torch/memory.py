"""How recurrent layers carry what they read: norms of hidden states, and how far back a gradient reaches.

Shapes: B batch, T time, E size of an input, H hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from seqrnn.backends.torch.backend import TorchBackend, to_tensors
from seqrnn.backends.torch.rnn import RNN
from seqrnn.data.dataset.batching import Batch


class RowMemory(NamedTuple):
    """Norms of each hidden state of a row of T steps, and of the gradient at each input, both (T,).

    The gradient is that of a random combination (of unit length) of the last hidden state, in the upper
    layer's forward direction, with respect to what the lowest layer reads.
    """

    hidden: np.ndarray
    gradient: np.ndarray


def row_memories(backend: TorchBackend, batches: Iterable[Batch]) -> Iterator[RowMemory]:
    """Yield the memory of each row of some batches that has steps; nothing where nothing recurs."""
    layers = reading_layers(backend.model)
    if layers is None:
        return
    for batch in batches:
        with _kept(layers) as kept:
            backend.model(to_tensors(batch, next(backend.model.parameters()).device))
        if kept:
            yield from _rows(*kept[0], layers.sizes.hidden_size)


def reading_layers(model: nn.Module) -> RNN | None:
    """Return the recurrent layers that read a row, or else those that write; None where there are none."""
    writes = getattr(getattr(model, "decoder", None), "rnn", None)
    found = (getattr(model, "encoder", None), getattr(model, "rnn", None), writes)
    return next((layers for layers in found if isinstance(layers, RNN)), None)


def _rows(read: Tensor, lengths: Tensor, outputs: Tensor, size: int) -> Iterator[RowMemory]:
    """Yield the rows of a batch: of its input (B, T, E), `lengths` (B,), hidden states (B, T, H)."""
    forward = outputs[:, :, :size]  # (B, T, H) of the direction from left to right
    last = forward[torch.arange(len(lengths)), (lengths - 1).clamp(min=0)]  # (B, H)
    along = torch.randn(size, generator=torch.Generator().manual_seed(1)).to(last)
    (gradient,) = torch.autograd.grad((last @ (along / along.norm())).sum(), read)
    hidden_norms = forward.detach().norm(dim=2).cpu().numpy()
    gradient_norms = gradient.norm(dim=2).cpu().numpy()
    for row, length in enumerate(lengths.tolist()):
        if length:
            yield RowMemory(hidden_norms[row, :length], gradient_norms[row, :length])


@contextmanager
def _kept(layers: RNN) -> Iterator[list[tuple[Tensor, Tensor, Tensor]]]:
    """Keep what the layers read, the lengths and the hidden states of each call, and the graph between."""
    kept: list[tuple[Tensor, Tensor, Tensor]] = []
    read: list[Tensor] = []

    def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        read.append(inputs[0].detach().requires_grad_())
        return (read[-1], *inputs[1:])

    def after(_: nn.Module, inputs: tuple[Tensor, ...], output: tuple[Tensor, object]) -> None:
        kept.append((read[-1], inputs[1], output[0]))

    hooks = [layers.register_forward_pre_hook(before), layers.register_forward_hook(after)]
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()
