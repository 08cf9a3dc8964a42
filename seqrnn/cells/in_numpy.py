"""The functions that the formulas of cells use, for arrays of NumPy; PyTorch has them by the same names."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import clip, tanh

__all__ = ["clip", "sigmoid", "tanh"]

HALF = np.array(0.5, dtype=np.float32)  # NumPy multiplies by an array of one number faster than by a float


def sigmoid(z: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The logistic function, through tanh because exp(-z) overflows for very negative z."""
    y: np.ndarray[Any, Any] = tanh(z * HALF)
    y *= HALF
    y += HALF
    return y
