"""Weights in a quarter of the bytes: matrices of int8, and a scale for each of their rows.

    scale_r = max_c |w_rc| / 127,    q_rc = round(w_rc / scale_r),    w_rc ~ q_rc * scale_r

Vectors, and matrices so narrow that their scales would take what is saved, stay in single precision. Which
tensors are stored how is told by their shapes alone, so a file is held to it as strictly as any other.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from seqrnn.errors import ModelError
from seqrnn.run.tensors import Expected, Tensors

LARGEST = 127  # -128 is not used, so that a number and its opposite lose the same
NARROWEST = 8  # columns of a matrix that is worth its scales
SCALE = ".scale"  # follows a tensor's name in that of its scales

Array = np.ndarray[Any, Any]


def stored_kinds(expected: Expected) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return dtype and shape of what is stored for tensors of `expected` dtypes and shapes."""
    kinds = {}
    for name, (dtype, shape) in expected.items():
        shrinks = dtype == "float32" and _is_wide(shape)
        kinds[name] = ("int8" if shrinks else dtype, shape)
        if shrinks:
            kinds[name + SCALE] = ("float32", shape[:1])
    return kinds


def quantize(tensors: Tensors) -> dict[str, Array]:
    """Return what is stored for `tensors`, all of float32."""
    stored: dict[str, Array] = {}
    for name, tensor in tensors.items():
        if not _is_wide(tensor.shape):
            stored[name] = tensor
            continue
        rows = tensor.reshape(len(tensor), -1)
        scales = np.abs(rows).max(axis=1) / np.float32(LARGEST)
        steps = np.rint(rows / np.where(scales > 0, scales, np.float32(1.0))[:, None])
        stored[name] = steps.clip(-LARGEST, LARGEST).astype(np.int8).reshape(tensor.shape)
        stored[name + SCALE] = scales
    return stored


def dequantize(stored: Tensors, path: Path) -> dict[str, Array]:
    """Return the tensors of which those are `stored` in the file at `path`.

    Raises `ModelError` where matrices and scales do not belong together, or their product is infinite.
    """
    shrunk = {name for name, tensor in stored.items() if tensor.dtype == np.int8}
    tensors = {}
    for name, tensor in stored.items():
        if name in shrunk:
            tensors[name] = _restored(name, tensor, stored.get(name + SCALE), path)
        elif name.removesuffix(SCALE) not in shrunk:
            tensors[name] = tensor
    return tensors


def _restored(name: str, steps: Array, scales: Array | None, path: Path) -> Array:
    if scales is None or scales.dtype != np.float32 or scales.shape != steps.shape[:1]:
        raise ModelError(f"{path}: {name[:60]!r} has no float32 scale for each of its rows")
    with np.errstate(over="ignore"):
        tensor: Array = steps * scales.reshape(-1, *[1] * (steps.ndim - 1))
    if not np.isfinite(tensor).all():
        raise ModelError(f"{path}: {name[:60]!r} is infinite, with its scales")
    return tensor


def _is_wide(shape: tuple[int, ...]) -> bool:
    """Whether a tensor has rows, each with more numbers than a scale is worth."""
    return len(shape) >= 2 and shape[0] > 0 and math.prod(shape[1:]) >= NARROWEST
