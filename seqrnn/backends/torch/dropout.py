"""Dropout whose mask is cheap to draw on a CPU.

PyTorch draws a floating-point number for each value there; 16 random bits are enough, and take a third of the
time.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BITS = 16  # drawn for each value, so that a share is right to 1 / 65,536
AT_ONCE = torch.iinfo(torch.int64).bits // BITS  # values for which one integer is drawn


class Dropout(nn.Dropout):
    """`nn.Dropout` with that mask."""

    def forward(self, x: Tensor) -> Tensor:
        """Return `x`, in training some values zero and the others larger."""
        return dropout(x, self.p, self.training)


def dropout(x: Tensor, share: float, training: bool) -> Tensor:
    """Return `x`, in training with a `share` of its values zero and the others divided by what is left."""
    if not training or not share or x.device.type != "cpu":
        return F.dropout(x, share, training)
    kept = _random_bits(x.numel()).view(x.shape) >= round(share * 2**BITS) - 2 ** (BITS - 1)
    scale = 1.0 / (1.0 - share)
    if x.dtype == torch.float32:
        y: Tensor = x * kept.to(x.dtype).mul_(scale)
    else:  # a mask of fewer digits would hold another scale
        y = x * kept * scale
    return y


def _random_bits(count: int) -> Tensor:
    """Return `count` random integers of `BITS` bits, with a sign."""
    least = torch.iinfo(torch.int64).min  # with another bound an integer has fewer random bits than 64
    drawn = torch.empty(-(-count // AT_ONCE), dtype=torch.int64).random_(least, None)
    return drawn.view(torch.int16)[:count]
