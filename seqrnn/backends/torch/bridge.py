"""How what an encoder has read enters a decoder: as its first state, or as its first input.

Shapes: B batch, E embedding, H hidden, D directions of the encoder.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seqrnn.backends.torch.rnn import RNN, Layers
from seqrnn.cells.cell import Shape
from seqrnn.cells.sizes import RNNSizes


class Bridge(nn.Module):
    """From the encoder's last states to the decoder's first: `s = tanh(W [forward; backward] + b)`.

    Each layer, and each array of its state, has a `W` and `b` of its own. An array of another shape than the
    output h, such as a matrix, is made from the encoder's h.
    """

    def __init__(self, shapes: Sequence[Shape], sizes: RNNSizes) -> None:
        """Take the shapes of the arrays of a cell's state, and the sizes of the encoder."""
        super().__init__()
        self.shapes = shapes
        self.directions = sizes.directions
        self.layers = nn.ModuleList(
            nn.ModuleList(nn.Linear(sizes.output_size, math.prod(shape)) for shape in shapes)
            for _ in range(sizes.num_layers)
        )

    def forward(self, last: Layers, decoder: RNN) -> Layers:  # noqa: ARG002
        """Map the last states of an encoder's layers and directions to the states of a decoder's layers."""
        first: Layers = []
        for depth, maps in enumerate(self.layers):
            arrays = _join(last[depth * self.directions : (depth + 1) * self.directions])
            assert isinstance(maps, nn.ModuleList)
            state = []
            for shape, map_, array in zip(self.shapes, maps, arrays, strict=True):
                read = array if shape == self.shapes[0] else arrays[0]  # (B, D * H)
                state.append(torch.tanh(map_(read)).view(-1, *shape))
            first.append(tuple(state))
        return first


class FirstInput(nn.Module):
    """The top layer's last h as the first x_t of the decoder: `x_0 = W [forward; backward] + b`.

    The decoder reads it before <bos>, from its zero state (Vinyals et al. 2015, eq. 10).
    """

    def __init__(self, sizes: RNNSizes, embedding_size: int) -> None:
        """Take the sizes of the encoder, and of what the decoder reads."""
        super().__init__()
        self.directions = sizes.directions
        self.map = nn.Linear(sizes.output_size, embedding_size)

    def forward(self, last: Layers, decoder: RNN) -> Layers:
        """Let the `decoder` read the last states of an encoder: the states of its layers thereafter."""
        summary = _join(last[-self.directions :])[0]  # (B, D * H)
        return decoder.step(self.map(summary), decoder.initial(len(summary)))[1]


def _join(directions: Layers) -> list[Tensor]:
    """Join each array of the states of a layer's directions: (B, H) -> (B, D * H)."""
    return [torch.cat(parts, dim=1) for parts in zip(*directions, strict=True)]
