"""Sequences of several lengths in one array.

Shapes: B batch, T time.
"""

from __future__ import annotations

import numpy as np

from seqrnn.backends.numpy.weights import Array


def sequence_mask(lengths: Array, total: int) -> Array:
    """Say which of `total` steps each sequence of `lengths` (B,) has: a mask (B, total)."""
    return np.arange(total) < lengths[:, None]


def reverse_sequences(numbers: Array, lengths: Array) -> Array:
    """Reverse each row of `numbers` (B, T) up to its length (B,); what comes after that stays as it is."""
    steps = np.arange(numbers.shape[1])
    back = lengths[:, None] - 1 - steps
    return np.take_along_axis(numbers, np.where(back >= 0, back, steps), axis=1)
