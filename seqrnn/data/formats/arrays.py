"""Arrays of NumPy: the examples of a data set in one .npz file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seqrnn.data.formats.answer_writer import AnswerableFormat, Asked
from seqrnn.data.formats.array_file import map_array
from seqrnn.data.formats.array_rows import ArrayRows
from seqrnn.data.formats.format import OpenLines, RowError
from seqrnn.data.formats.table import Row
from seqrnn.data.lines import UNREADABLE, file_name
from seqrnn.data.record import Record
from seqrnn.data.wording import listed
from seqrnn.errors import DataError

if TYPE_CHECKING:
    from seqrnn.data.source import Source

ZIP = b"PK"  # how an .npz file begins
INPUT_NAMES = ("x", "X", "data")
ANSWER_NAMES = ("y", "Y", "target")
SHOWN = 8  # names of arrays that a message lists
EXPECTED = (
    "give x (N, F) or (N, T, F), y (N,) and, where series end earlier, lengths (N,), "
    "as numpy.savez writes them"
)


class Arrays(AnswerableFormat):
    """Arrays of NumPy: `x` (N, F) or (N, T, F), and where given `y` (N,) and `lengths` (N,).

    scikit-learn's names, `X` and `y` or `data` and `target`, are known too.
    """

    extensions = (".npz", ".npy")
    line_is_row = False
    row_noun = "example, as JSON,"
    has_lines = False

    def records(self, path: str, source: Source, open_lines: OpenLines) -> Iterator[Record]:  # noqa: ARG002
        """Yield the examples of the file, which may also be one .npy array `x`.

        `y` holds the labels or numbers, `lengths` the steps of each series. Raises DataError for
        anything else; nothing in the file is a pickle.
        """
        examples, name = _examples(path), file_name(path)
        y, lengths = examples.y, examples.lengths
        for row, steps in enumerate(examples.series):
            length = len(steps) if lengths is None else _length(lengths[row], len(steps), row + 1)
            labels = () if y is None else source.split_labels(str(y[row]))
            yield Record("", labels, name, row + 1, steps=steps[:length])

    def asked(self, path: str, source: Source, open_lines: OpenLines) -> Asked:  # noqa: ARG002
        """Open the file, which needs no `y`; with answers it is an .npz file."""
        examples = _examples(path)
        return Asked(_asked(examples, file_name(path)), partial(ArrayRows, examples.arrays))


class _Examples(NamedTuple):
    """The arrays of a file by what they are: `x` (N, F) or (N, T, F), `y` (N,), `lengths` (N,)."""

    arrays: Mapping[str, np.ndarray]  # as the file names them
    x: np.ndarray
    y: np.ndarray | None
    lengths: np.ndarray | None

    @property
    def series(self) -> np.ndarray:
        """The vectors of each example, (N, T, F)."""
        return self.x if self.x.ndim == 3 else self.x[:, None]


def _asked(examples: _Examples, name: str) -> Iterator[tuple[Row, Record | None]]:
    y, lengths = examples.y, examples.lengths
    for number, steps in enumerate(examples.series, start=1):
        row = Row(number, {} if y is None else {"label": y[number - 1].item()})
        try:
            length = len(steps) if lengths is None else _length(lengths[number - 1], len(steps), number)
        except RowError as error:
            yield row._replace(error=str(error)), None
        else:
            yield row, Record("", (), name, number, steps=steps[:length])


def _examples(path: str) -> _Examples:
    """Return the arrays of a file. Raises DataError where they are not those of examples."""
    (arrays, names), name = _load(path), file_name(path)
    key = _only_named(arrays, INPUT_NAMES, name)
    if key is None:
        shown = listed(names, SHOWN) or "none"
        raise DataError(f"{name}: no array x of vectors among its arrays ({shown}); {EXPECTED}")
    x = arrays[key]
    if x.ndim not in {2, 3} or x.dtype.kind not in "iuf":
        what = f"no array {key} of vectors, but one of {x.dtype} and shape {x.shape}"
        raise DataError(f"{name}: {what}; {EXPECTED}")
    answers = _only_named(arrays, ANSWER_NAMES, name)
    y = None if answers is None else arrays[answers]
    if y is not None and y.shape == (len(x), 1):
        y = y[:, 0]
    if y is not None:
        _require_one_each(y, answers or "", len(x), name)
    lengths = arrays.get("lengths")
    if lengths is not None:
        _require_one_each(lengths, "lengths", len(x), name)
    return _Examples(arrays, x, y, lengths)


def _only_named(arrays: Mapping[str, np.ndarray], usual: Sequence[str], name: str) -> str | None:
    """Return which of the usual names an array has. Raises DataError where there are two such arrays."""
    found = [key for key in usual if key in arrays]
    if len(found) > 1:
        raise DataError(f"{name}: two arrays that may be {usual[0]}, {' and '.join(found)}; keep one of them")
    return found[0] if found else None


def _require_one_each(array: np.ndarray, key: str, rows: int, name: str) -> None:
    """Raise DataError where an array does not hold one value for each example."""
    if array.shape == (rows,):
        return
    if array.ndim < 2 or len(array) != rows:
        what = f"array {key} is of shape {array.shape}, and there are {rows} examples"
        raise DataError(f"{name}: {what}; {EXPECTED}")
    what = f"array {key} has the shape {array.shape}, and each example has one label or number"
    advice = f"give {key} as ({rows},), such as {key}.argmax(axis=1) where a 1 marks the class"
    raise DataError(f"{name}: {what}; {advice}")


def _length(length: np.generic, most: int, row: int) -> int:
    if not (isinstance(length, np.integer) and 0 <= length <= most):
        raise RowError(row, f"the length {length} is none of 0 to {most}; fix the array lengths")
    return int(length)


def _load(path: str) -> tuple[dict[str, np.ndarray], list[str]]:
    """Open the arrays of usual names in a file, and list the names of all; those of an .npy stay on disk."""
    try:
        with Path(path).open("rb") as file:
            if file.peek(len(ZIP))[: len(ZIP)] != ZIP:
                return {"x": map_array(path)}, ["x"]
            with np.load(file, allow_pickle=False) as opened:
                names = opened.files
                usual = {*INPUT_NAMES, *ANSWER_NAMES, "lengths"}
                found = {name: opened[name] for name in names if name in usual}
    except Exception as error:  # damaged arrays and archives can be wrong in very many ways
        reason, advice = "no arrays of NumPy, or pickled ones", EXPECTED
        if isinstance(error, OSError) and error.strerror:
            reason, advice = error.strerror, UNREADABLE
        if isinstance(error, MemoryError):
            reason = "arrays that are larger than the memory, or damaged"
        raise DataError(f"{file_name(path)}: {reason}; {advice}") from error
    return {name: array for name, array in found.items() if isinstance(array, np.ndarray)}, names
