"""Arrays of NumPy: the examples of a data set in one .npz file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqrnn.data.formats.answer_writer import AnswerableFormat, Asked
from seqrnn.data.formats.array_file import map_array
from seqrnn.data.formats.array_rows import ArrayRows
from seqrnn.data.formats.format import OpenLines, RowError
from seqrnn.data.formats.table import Row
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


class Arrays(AnswerableFormat):
    """Arrays of NumPy: `x` (N, F) or (N, T, F), and where given `y` (N,) and `lengths` (N,)."""

    extensions = (".npz", ".npy")
    line_is_row = False
    row_noun = "example, as JSON,"
    has_lines = False

    def records(self, path: str, source: Source, open_lines: OpenLines) -> Iterator[Record]:  # noqa: ARG002
        """Yield the examples of the file, which may also be one .npy array `x`.

        `y` holds the labels or numbers, `lengths` the steps of each series. Raises DataError for
        anything else; nothing in the file is a pickle.
        """
        arrays, name = _examples(path), file_name(path)
        y, lengths = arrays.get("y"), arrays.get("lengths")
        for row, steps in enumerate(_series(arrays)):
            length = len(steps) if lengths is None else _length(lengths[row], len(steps), row + 1)
            labels = () if y is None else source.split_labels(str(y[row]))
            yield Record("", labels, name, row + 1, steps=steps[:length])

    def asked(self, path: str, source: Source, open_lines: OpenLines) -> Asked:  # noqa: ARG002
        """Open the file, which needs no `y`; with answers it is an .npz file."""
        arrays = _examples(path)
        return Asked(_asked(arrays, file_name(path)), partial(ArrayRows, arrays))


def _asked(arrays: Mapping[str, np.ndarray], name: str) -> Iterator[tuple[Row, Record | None]]:
    y, lengths = arrays.get("y"), arrays.get("lengths")
    for number, steps in enumerate(_series(arrays), start=1):
        row = Row(number, {} if y is None else {"label": y[number - 1].item()})
        try:
            length = len(steps) if lengths is None else _length(lengths[number - 1], len(steps), number)
        except RowError as error:
            yield row._replace(error=str(error)), None
        else:
            yield row, Record("", (), name, number, steps=steps[:length])


def _examples(path: str) -> Mapping[str, np.ndarray]:
    """Return the arrays of a file. Raises DataError where they are not those of examples."""
    arrays, name = _load(path), file_name(path)
    x = arrays.get("x")
    if x is None or x.ndim not in {2, 3} or x.dtype.kind not in "iuf":
        raise DataError(f"{name}: no array x of vectors; {EXPECTED}")
    if any(other.shape != (len(x),) for key, other in arrays.items() if key != "x"):
        raise DataError(f"{name}: arrays of other lengths than x, which has {len(x)} rows; {EXPECTED}")
    return arrays


def _series(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    x = arrays["x"]
    return x if x.ndim == 3 else x[:, None]  # (N, T, F)


def _length(length: np.generic, most: int, row: int) -> int:
    if not (isinstance(length, np.integer) and 0 <= length <= most):
        raise RowError(row, f"the length {length} is none of 0 to {most}; fix the array lengths")
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
