"""States of recurrent layers.

Shapes: B batch, N rows that are taken.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqrnn.cells.cell import State

Layers = list[State]  # one state a layer and direction: layer 0 forward, layer 0 backward, layer 1 ...


def reorder(states: Layers, rows: Tensor) -> Layers:
    """Take `rows` (N,) of every state."""
    return [tuple(array.index_select(0, rows) for array in state) for state in states]


def detach(states: Layers) -> Layers:
    """Cut the states off from the graph that made them: back-propagation ends here."""
    return [tuple(array.detach() for array in state) for state in states]


def sequence_mask(lengths: Tensor, total: int, device: torch.device) -> Tensor:
    """Say which of `total` steps each sequence of `lengths` (B,) has: a mask (B, total) on `device`."""
    return torch.arange(total, device=device) < lengths.to(device).unsqueeze(1)
