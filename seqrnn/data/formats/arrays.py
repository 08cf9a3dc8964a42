"""Arrays of NumPy: the examples of a data set in one .npz file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqrnn.data.formats.array_file import map_array
from seqrnn.data.lines import UNREADABLE, file_name
from seqrnn.data.record import Record
from seqrnn.errors import DataError

if TYPE_CHECKING:
    from seqrnn.data.source import Source

ZIP = b"PK"  # how an .npz file begins
EXPECTED = (
    "give x (N, F) or (N, T, F), y (N,) and, where series end earlier, lengths (N,), "
    "as numpy.savez writes them"
)


def read_npz(path: str, source: Source) -> Iterator[Record]:
    """Yield the examples of a .npz file: `x` (N, F) or (N, T, F), `y` (N,) and `lengths` (N,).

    `y`, the labels or numbers, and `lengths`, the steps of each series, may be missing; the file may
    also be one .npy array `x`. Raises DataError for anything else; nothing in the file is a pickle.
    """
    arrays, name = _load(path), file_name(path)
    x, y, lengths = (arrays.get(key) for key in ("x", "y", "lengths"))
    if x is None or x.ndim not in {2, 3} or x.dtype.kind not in "iuf":
        raise DataError(f"{name}: no array x of vectors; {EXPECTED}")
    for other in (y, lengths):
        if other is not None and other.shape != (len(x),):
            raise DataError(f"{name}: arrays of other lengths than x, which has {len(x)} rows; {EXPECTED}")
    series = x if x.ndim == 3 else x[:, None]  # (N, T, F)
    for row, steps in enumerate(series):
        kept = steps if lengths is None else steps[: _length(lengths[row], len(steps), f"{name}:{row + 1}")]
        labels = () if y is None else source.split_labels(str(y[row]))
        yield Record("", labels, name, row + 1, steps=kept)


def _length(length: np.generic, most: int, place: str) -> int:
    if not (isinstance(length, np.integer) and 0 <= length <= most):
        raise DataError(f"{place}: the length {length} is none of 0 to {most}; mend the array lengths")
    return int(length)


def _load(path: str) -> dict[str, np.ndarray]:
    """Open the arrays of a file; those of an .npy stay on disk."""
    try:
        with Path(path).open("rb") as file:
            if file.peek(len(ZIP))[: len(ZIP)] != ZIP:
                return {"x": map_array(path)}
            with np.load(file, allow_pickle=False) as opened:
                found = {name: opened[name] for name in ("x", "y", "lengths") if name in opened}
    except Exception as error:  # damaged arrays and archives can be wrong in very many ways
        reason, advice = "no arrays of NumPy, or pickled ones", EXPECTED
        if isinstance(error, OSError) and error.strerror:
            reason, advice = error.strerror, UNREADABLE
        if isinstance(error, MemoryError):
            reason = "arrays that are larger than the memory, or damaged"
        raise DataError(f"{file_name(path)}: {reason}; {advice}") from error
    return {name: array for name, array in found.items() if isinstance(array, np.ndarray)}
