"""Images to sequences of states: a small convolutional network whose last maps are read position by position.

Shapes: B batch, C channels of an image, N side of an image in pixels, S positions, M size of their states.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqrnn.data.fields.input_sizes import ImageSizes

GROUPS = 8  # of channels that are normalised together


class CNN(nn.Module):
    """Blocks of convolution, normalisation and ReLU, each of which halves the side and doubles the channels.

    What is left, a grid of at most 8 x 8 states, is given row by row as a sequence; each position adds a
    vector of its own, so that an attention can tell above from below, and is normalised. Groups of
    channels are normalised within each image (Wu and He 2018), so that an image's states do not
    depend on the images beside it, as those of batch normalisation would.
    """

    def __init__(self, channels: int, side: int, width: int) -> None:
        """Take images of `channels` and of `side` x `side` pixels; the first block has `width` maps."""
        super().__init__()
        blocks: list[nn.Module] = []
        sizes = ImageSizes(channels, side)
        for _ in sizes.sides[1:]:
            blocks += [_block(channels, width)]
            channels, width = width, 2 * width
        self.blocks = nn.Sequential(*blocks)
        self.size = channels
        self.places = nn.Parameter(torch.zeros(sizes.grid**2, channels))  # (S, M), by the name in saved runs
        self.norm = nn.LayerNorm(channels)

    def forward(self, images: Tensor) -> Tensor:
        """Read `images` (B, C, N, N) -> the states of their positions (B, S, M)."""
        maps: Tensor = self.blocks(images)  # (B, M, n, n)
        states: Tensor = self.norm(maps.flatten(2).transpose(1, 2) + self.places)
        return states


def _block(channels: int, maps: int) -> nn.Module:
    """Return one block, (B, channels, N, N) -> (B, maps, N / 2, N / 2)."""
    return nn.Sequential(
        nn.Conv2d(channels, maps, kernel_size=3, stride=2, padding=1, bias=False),
        nn.GroupNorm(max(groups for groups in range(1, GROUPS + 1) if maps % groups == 0), maps),
        nn.ReLU(),
    )
