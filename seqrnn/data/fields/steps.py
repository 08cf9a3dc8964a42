"""The numbers of a record as an array, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from seqrnn.data.fields.named_files import find_named_file, names_array
from seqrnn.data.formats.array_file import map_array
from seqrnn.data.limits import LONGEST
from seqrnn.data.record import Record
from seqrnn.errors import DataError

LARGEST = 1e30
"""Of a number that enters a network: products with weights, and sums of them, are to stay finite."""


def matrix_of(record: Record, features: int | None = None) -> np.ndarray:
    """Return the vectors of a record, (T, F) float64, all of size `features` if that is given.

    Double precision, as in the files: a time in milliseconds has more digits than a float32 until it is
    normalised. They are cut after `LONGEST` + 1 steps. Raises DataError, with the location, for anything else
    than numbers that are finite and not too large, as many in each step.
    """
    steps = steps_of(record)[: LONGEST + 1]
    expected = features or _size(steps[0])
    try:
        numbers = np.asarray(steps)
    except (ValueError, OverflowError):  # not as many numbers in each step, or one that no float can hold
        numbers = np.empty(0)
    if numbers.shape != (len(steps), expected):
        raise _misfit(record, expected)
    if not _are_numbers(numbers, steps):
        raise DataError(f"{record.location}: a step holds something else than finite numbers; fix the row")
    matrix = numbers.astype(np.float64)
    if not np.isfinite(matrix).all():
        raise DataError(f"{record.location}: a step holds something else than finite numbers; fix the row")
    require_size(record, matrix)
    return matrix


def require_size(record: Record, numbers: np.ndarray) -> None:
    """Raise DataError, with the location, for numbers that a network in single precision cannot add up."""
    if numbers.size and max(float(numbers.max()), -float(numbers.min())) > LARGEST:
        raise DataError(
            f"{record.location}: holds a number too large to compute with; fix the row, or scale it"
        )


def _are_numbers(numbers: np.ndarray, steps: Sequence[Any] | np.ndarray) -> bool:
    if numbers.dtype.kind == "O":  # integers of more than 64 bits, unless it is something else
        return all(type(number) in {int, float} and abs(number) <= LARGEST for number in numbers.flat)
    return numbers.dtype.kind in "iuf" and not _holds_truth_values(steps)


def _holds_truth_values(steps: Sequence[Any] | np.ndarray) -> bool:
    """Whether true or false is among the numbers of vectors, where NumPy takes them for 1 and 0."""
    return not isinstance(steps, np.ndarray) and bool in set(map(type, chain.from_iterable(steps)))


def sets_of(record: Record, size: int) -> np.ndarray:
    """Return the keys that sound in each step of a record as 0 and 1, (T, size) uint8.

    Raises DataError, with the location, for anything else than numbers from 0 to below `size`.
    """
    steps = steps_of(record)[: LONGEST + 1]
    sets = np.zeros((len(steps), size), dtype=np.uint8)
    for number, step in enumerate(steps, start=1):
        if not (isinstance(step, list) and all(type(key) is int and 0 <= key < size for key in step)):
            what = f"step {number} is no list of keys from 0 to {size - 1}"
            raise DataError(f"{record.location}: {what}; fix the row, or train with more `data.keys`")
        sets[number - 1, step] = 1
    return sets


def steps_of(record: Record) -> Sequence[Any] | np.ndarray:
    """Return the steps of a record, or those of the array that it names.

    Raises DataError, with the location, where there are none.
    """
    if names_array(record):
        return _load(record)
    if record.steps is None or not len(record.steps):
        raise DataError(f"{record.location}: holds no numbers; give a list of them for each step")
    return record.steps


def _misfit(record: Record, expected: int) -> DataError:
    """Say which step has not the `expected` size."""
    for number, step in enumerate(steps_of(record), start=1):
        if _size(step) != expected:
            count = "1 number" if _size(step) == 1 else f"{_size(step)} numbers"
            what = f"step {number} has {count}, expected {expected}"
            return DataError(f"{record.location}: {what}; give as many numbers in each step")
    return DataError(f"{record.location}: a step holds something else than numbers; fix the row")


def _load(record: Record) -> np.ndarray:
    """Read the vector (F,), or the vectors (T, F), of the .npy file that a record names."""
    try:
        array = map_array(find_named_file(record).path)
    except (OSError, ValueError) as error:
        raise _no_vectors(record) from error
    if array.ndim not in {1, 2} or not array.size:
        raise _no_vectors(record)
    return np.atleast_2d(array)


def _no_vectors(record: Record) -> DataError:
    what = f"{record.source!r} holds no vectors; write an array of shape (F,) or (T, F) with numpy.save"
    return DataError(f"{record.location}: {what}")


def _size(step: object) -> int:
    return len(step) if isinstance(step, Sequence | np.ndarray) and not isinstance(step, str) else 0
