"""Arrays of NumPy: the examples of a data set in one .npz file."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from seqrnn.data.lines import file_name
from seqrnn.data.record import Record
from seqrnn.errors import DataError

if TYPE_CHECKING:
    from seqrnn.data.source import Source

EXPECTED = (
    "give x (N, F) or (N, T, F), y (N,) and, where series end earlier, lengths (N,), "
    "as numpy.savez writes them"
)


def read_npz(path: str, source: Source) -> Iterator[Record]:
    """Yield the examples of a .npz file: `x` (N, F) or (N, T, F), `y` (N,) and `lengths` (N,).

    `y`, the labels or numbers, and `lengths`, the steps of each series, may be missing; the file may
    also be one .npy array `x`. Raises DataError for anything else; nothing in the file is a pickle.
    """
    arrays = _load(path)
    x, y, lengths = (arrays.get(name) for name in ("x", "y", "lengths"))
    name = file_name(path)
    if x is None or x.ndim not in {2, 3} or not np.issubdtype(x.dtype, np.number):
        raise DataError(f"{name}: no array x of vectors; {EXPECTED}")
    for other in (y, lengths):
        if other is not None and other.shape != (len(x),):
            raise DataError(f"{name}: arrays of other lengths than x, which has {len(x)} rows; {EXPECTED}")
    for row, example in enumerate(x):
        steps = example[None] if x.ndim == 2 else example
        kept = steps if lengths is None else steps[: int(lengths[row])]
        labels = () if y is None else source.split_labels(str(y[row]))
        yield Record("", labels, name, row + 1, steps=kept)


def _load(path: str) -> dict[str, Any]:
    """Open the arrays of a file; those of an .npy stay on disk."""
    try:
        opened = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(opened, np.ndarray):
            return {"x": opened}
        with opened:
            return {name: opened[name] for name in ("x", "y", "lengths") if name in opened}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or "no arrays of NumPy, or pickled ones"
        raise DataError(f"{file_name(path)}: {reason}; {EXPECTED}") from error
