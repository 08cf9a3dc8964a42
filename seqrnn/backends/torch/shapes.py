"""Batches of few different shapes: each of them can be recorded as a CUDA graph of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from msgspec.structs import replace

from seqrnn.data.dataset.batching import Batch

Multiples = Mapping[str, tuple[int, ...]]


@runtime_checkable
class Paddable(Protocol):
    """A network whose batches may be padded further, which changes no result."""

    multiples: Multiples
    """Of what each axis of an array may become a multiple, by the array's name; the first axes come first."""


def pad_to_multiples(batch: Batch, multiples: Multiples) -> Batch:
    """Pad the arrays of a batch with zeros, which are <blank> and lengths of nothing."""
    if not multiples:
        return batch
    arrays = {name: _padded(array, multiples.get(name, ())) for name, array in batch.arrays.items()}
    return replace(batch, arrays=arrays, positions=arrays["source"].size)


def _padded(array: np.ndarray, multiples: tuple[int, ...]) -> np.ndarray:
    sizes = [-(-size // multiple) * multiple for size, multiple in zip(array.shape, multiples, strict=False)]
    if not multiples or tuple(sizes) == array.shape[: len(sizes)]:
        return array
    found = np.zeros((*sizes, *array.shape[len(sizes) :]), dtype=array.dtype)
    found[tuple(map(slice, array.shape))] = array
    return found
