"""Integers of many examples as one flat array on disk, and an array that says where each example starts.

A column of n examples is two files: `NAME.values.npy`, all tokens (or vectors) after one another, and
`NAME.offsets.npy`, n+1 positions, so that example i is `values[offsets[i]:offsets[i+1]]`. Both are
memory-mapped: a corpus larger than the memory can be trained on, and no example is a Python object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from msgspec import Struct
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

IntArray = NDArray[np.integer[Any]]
BLOCK = 1 << 20  # examples that are looked at at a time


def smallest_dtype(size: int) -> np.dtype[Any]:
    """Return the smallest dtype that a column stores the ids 0 .. size-1 in: uint8, uint16 or int32."""
    return np.dtype(np.uint8 if size <= 2**8 else np.uint16 if size <= 2**16 else np.int32)


class Column(Struct, frozen=True, dict=True):
    """The integers of n examples, `values` (tokens,), or their vectors (steps, F); `offsets` (n+1,) int64."""

    values: NDArray[Any]
    offsets: NDArray[np.int64]

    @classmethod
    def open(cls, path: Path) -> Column:
        """Map the two files that a `ColumnWriter` of the same `path` has written.

        Raises OSError or ValueError if one is missing or damaged.
        """
        values, offsets = (np.load(file, mmap_mode="r") for file in column_files(path))
        # A memmap checks itself at every indexing; a plain view of it does not.
        return cls(values.view(np.ndarray), offsets.view(np.ndarray))

    @classmethod
    def of(cls, examples: Sequence[NDArray[Any]]) -> Column:
        """Make a column in memory."""
        offsets = np.cumsum([0, *map(len, examples)], dtype=np.int64)
        return cls(np.concatenate(examples) if examples else np.empty(0, dtype=np.int64), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each example, (n,)."""
        return np.diff(self.offsets)

    def lengths_of(self, rows: IntArray) -> NDArray[np.int64]:
        """Return the tokens of the examples `rows` (B,), (B,)."""
        return self.offsets[rows + 1] - self.offsets[rows]

    @cached_property
    def longest(self) -> int:
        """Tokens of the longest example."""
        starts = range(0, len(self), BLOCK)  # all lengths at once would take 8 bytes an example
        blocks = (np.diff(self.offsets[start : start + BLOCK + 1]) for start in starts)
        return max((int(block.max()) for block in blocks), default=0)

    def stretches(self, starts: IntArray, length: int) -> Column:
        """Return what begins at `starts` (n,) of the values, `length` each, cut where examples are, too."""
        values = np.concatenate([self.values[start : start + length] for start in starts])
        borders = [np.arange(len(starts) + 1) * length]
        for index, start in enumerate(starts):
            first, last = np.searchsorted(self.offsets, [start, start + length])
            borders.append(self.offsets[first:last] - start + index * length)
        return Column(values, np.unique(np.concatenate(borders)))

    def gather(self, rows: IntArray, width: int | None = None, pad_value: int = 0) -> NDArray[Any]:
        """Return the examples `rows` (B,) as one array (B, T), or (B, T, F), padded with `pad_value`.

        T is `width`, to which longer examples are cut, or else the longest of the examples. Integers
        become int64; other numbers keep their type.
        """
        lengths = self.lengths_of(rows)
        if width is None:
            width = int(lengths.max(initial=0))
        positions = np.arange(width)
        inside = positions < lengths[:, None]  # (B, T)
        dtype = np.int64 if np.issubdtype(self.values.dtype, np.integer) else self.values.dtype
        batch = np.full((*inside.shape, *self.values.shape[1:]), pad_value, dtype=dtype)
        batch[inside] = self.values[(self.offsets[rows][:, None] + positions)[inside]]
        return batch


class ColumnWriter:
    """Writes a column in batches; the files are complete when the `with` block has been left.

    `dtype` is that of a token; a vector's is one with a shape, such as `np.dtype((np.float32, (12,)))`.
    """

    def __init__(self, path: Path, dtype: DTypeLike) -> None:
        values, offsets = column_files(path)
        self._values = _ArrayWriter(values, dtype)
        self._offsets = _ArrayWriter(offsets, np.int64)
        self._offsets.append(np.zeros(1))

    def append(self, examples: Iterable[NDArray[Any] | list[int]]) -> None:
        """Append one example for each array or list of integers."""
        arrays = [np.asarray(example, dtype=self._values.dtype.base) for example in examples]
        if arrays:
            ends = self._values.size + np.cumsum([len(array) for array in arrays])
            self._values.append(np.concatenate(arrays))
            self._offsets.append(ends)

    def append_flat(self, values: NDArray[Any], lengths: IntArray) -> None:
        """Append n examples, whose `values` are all after one another, and whose `lengths` are (n,)."""
        if len(lengths):
            ends = self._values.size + lengths.cumsum()
            self._values.append(values)
            self._offsets.append(ends)

    def close(self) -> None:
        """Complete both files."""
        self._values.close()
        self._offsets.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Dataset(Struct, frozen=True):
    """Columns of equal length, one for each field."""

    columns: Mapping[str, Column]

    def __post_init__(self) -> None:
        assert len({len(column) for column in self.columns.values()}) == 1, "columns differ in length"

    @classmethod
    def open(cls, directory: Path, names: Iterable[str]) -> Dataset:
        """Map the columns `names` of a directory. Raises OSError or ValueError as `Column.open` does."""
        return cls({name: Column.open(directory / name) for name in names})

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def get(self, name: str) -> Column | None:
        """Return a column, or None where the data set has none of this name."""
        return self.columns.get(name)


class _ArrayWriter:
    """Writes an .npy file whose length, of its first axis, is not known before its end."""

    def __init__(self, path: Path, dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self.size = 0
        self._file = path.open("wb")
        self._write_header()

    def append(self, array: NDArray[Any]) -> None:
        self._file.write(np.ascontiguousarray(array, dtype=self.dtype.base).data)
        self.size += len(array)

    def close(self) -> None:
        self._file.seek(0)
        self._write_header()
        self._file.close()

    def _write_header(self) -> None:
        # NumPy leaves room for the largest possible length, so the header never changes its size.
        shape = (self.size, *self.dtype.shape)
        header = {"descr": npy.dtype_to_descr(self.dtype.base), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._file, header)


def column_files(path: Path) -> tuple[Path, Path]:
    """Return the files of the column at `path`: its values, and where each example starts."""
    return path.with_name(f"{path.name}.values.npy"), path.with_name(f"{path.name}.offsets.npy")
