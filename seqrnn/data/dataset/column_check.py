"""Columns that anybody may have written, held to what the fields that they belong to can have written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.dataset.columns import column_files
from seqrnn.data.fields.field import Field

BLOCK = 1 << 22  # bytes that are looked at at a time, so that a column of any size costs no memory


def check_columns(directory: Path, fields: Sequence[Field], examples: int) -> None:
    """Raise ValueError, with its name, for a column of `fields` that is not one of so many examples.

    The fields have learned. Raises OSError where one cannot be read.
    """
    for field in fields:
        values, offsets = column_files(directory / field.name)
        size = _check_values(values, field)
        _check_offsets(offsets, examples, size)


def _check_values(path: Path, field: Field) -> int:
    """Check the numbers of a column; return how many there are."""
    array = np.load(path, mmap_mode="r")
    if array.dtype != field.dtype.base or array.shape[1:] != field.dtype.shape or array.ndim < 1:
        raise ValueError(f"{path.name} holds {array.dtype} {array.shape}, which its field does not write")
    limit = field.id_count
    for block in _blocks(path, array):
        if block.dtype.kind == "f":
            if not np.isfinite(block).all():
                raise ValueError(f"{path.name} holds nan or infinity")
        elif limit is not None and not 0 <= int(block.min()) <= int(block.max()) < limit:
            raise ValueError(f"{path.name} holds ids outside 0 to {limit - 1}")
    return len(array)


def _check_offsets(path: Path, examples: int, size: int) -> None:
    """Check where the examples of a column of `size` values start."""
    array = np.load(path, mmap_mode="r")
    if array.dtype != np.int64 or array.shape != (examples + 1,):
        raise ValueError(f"{path.name} holds {array.dtype} {array.shape}, expected int64 ({examples + 1},)")
    before = 0
    for number, block in enumerate(_blocks(path, array)):
        if (not number and block[0]) or block[0] < before or (np.diff(block) < 0).any():
            raise ValueError(f"{path.name} does not say where examples start")
        before = int(block[-1])
    if before != size:
        raise ValueError(f"{path.name} ends at {before}, but there are {size} values")


def _blocks(path: Path, array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Read the numbers of an array from its file, which leaves no pages of it mapped."""
    if not array.flags.c_contiguous or not isinstance(array, np.memmap):
        raise ValueError(f"{path.name} is no column")
    with path.open("rb") as file:
        file.seek(array.offset)
        while len(block := np.fromfile(file, array.dtype, max(1, BLOCK // array.dtype.itemsize))):
            yield block
