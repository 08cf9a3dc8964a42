"""Cutting a batch of sequences of different lengths into pieces that a fused kernel can run.

A fused kernel runs all rows of a batch for the same number of steps. Between two neighbouring
lengths that occur in the batch nothing ends, so there it may run; at the boundary the rows that
have ended keep their state. A long stretch is cut as well, since the kernel keeps all gates of all its
steps while it runs. That gives exact last states without a mask inside the recurrence and
without packed sequences, which on the CPU leave the fast kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

LONG = 2**12  # steps of one piece, at most


@dataclass(frozen=True)
class Segment:
    """Steps `start` to `stop` (exclusive), in which the first `alive` rows have not ended."""

    start: int
    stop: int
    alive: int


@dataclass(frozen=True)
class Segments:
    """The plan for one batch: the order of rows, longest first, and the pieces in time."""

    order: Tensor | None  # (B,), or None where the rows are in order already
    reversal: Tensor  # (T, B): where step t of a sequence read backwards stands, in that order
    pieces: tuple[Segment, ...]

    @classmethod
    def plan(cls, lengths: Tensor, total: int) -> Segments:
        """Plan a batch of `lengths` (B,), an int64 tensor on the CPU, filled to `total` steps."""
        descending, order = lengths.sort(descending=True, stable=True)
        in_order = bool((lengths[1:] <= lengths[:-1]).all())
        steps = torch.arange(total).unsqueeze(1)  # (T, 1)
        reversal = torch.where(steps < descending, descending - 1 - steps, steps)
        stops = sorted({*descending.tolist(), *range(LONG, total, LONG), total} - {0})
        starts = [0, *stops[:-1]]
        alive = [int((descending > start).sum()) for start in starts]
        pieces = tuple(map(Segment, starts, stops, alive))
        return cls(None if in_order else order, reversal, pieces)
