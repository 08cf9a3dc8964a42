"""Named arrays on disk, in the safetensors format.

The safetensors library reads and writes; what it does not refuse by itself is refused here:
duplicate names, files that are not regular, names and shapes that nobody expects, nan and infinity.
A file is judged by its header, and no more is read or allocated before the header is found right.

    8 bytes: the header's length | header: JSON {name: dtype, shape, offsets} | data, without a gap
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from io import FileIO
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
import safetensors.numpy
from msgspec import Meta
from safetensors import SafetensorError

from seqrnn.errors import ModelError, NumericError
from seqrnn.run.files import (
    Fingerprint,
    check_fingerprint,
    check_size,
    open_regular,
    read_exactly,
    size_of,
    write_synced,
)
from seqrnn.strict_json import Natural, Strict, conform, parse_object

Tensors: TypeAlias = Mapping[str, np.ndarray[Any, Any]]
Expected: TypeAlias = Mapping[str, tuple[str, tuple[int, ...]]]  # name: (NumPy dtype name, shape)
Judge: TypeAlias = Callable[[Expected], Expected]
"""From what a file says that it holds to what it must hold, where that is one of several things."""

HEADER_LIMIT = 2**20  # bytes
PICKLE_SUFFIXES = frozenset({".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth"})
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}


class Entry(Strict, frozen=True):
    """What the header says of one tensor; the offsets count from the end of the header."""

    dtype: Literal["F64", "F32", "F16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL"]
    shape: list[Natural]
    data_offsets: Annotated[list[Natural], Meta(min_length=2, max_length=2)]

    @property
    def kind(self) -> tuple[str, tuple[int, ...]]:
        """NumPy's name of the dtype, and the shape."""
        return DTYPES[self.dtype], tuple(self.shape)

    @property
    def size(self) -> int:
        """Bytes that dtype and shape need."""
        return math.prod(self.shape) * np.dtype(DTYPES[self.dtype]).itemsize


def write_tensors(path: Path, tensors: Tensors) -> Fingerprint:
    """Write a new file and wait until the disk has it; bfloat16 and complex numbers are not stored.

    Raises `NumericError` where a number is nan or infinite, since nobody could read the file again,
    and `OSError`.
    """
    for name, tensor in tensors.items():
        assert tensor.dtype.name in DTYPES.values(), f"{name} is {tensor.dtype}"
        if not np.isfinite(tensor).all():
            raise NumericError(
                f"{path}: not written: {name} holds nan or infinity; try a lower learning rate"
            )
    # The library takes the memory as it lies, so it must lie in C order.
    in_order = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
    return write_synced(path, safetensors.numpy.save(in_order))


def read_tensors(
    path: Path, expected: Expected | Judge | None = None, written: Fingerprint | None = None
) -> dict[str, np.ndarray[Any, Any]]:
    """Read a file of tensors into memory; the arrays are the caller's to write to.

    `expected` names each tensor that there must be, with dtype and shape; None takes what comes.
    `written` is the fingerprint that the content must have.
    Raises `ModelError`, which names the file and what is wrong with it.
    """
    if path.suffix in PICKLE_SUFFIXES:
        raise ModelError(f"{path}: pickles are never opened, they can run code; give a seqrnn run directory")
    with open_regular(path) as file:
        if written:
            check_size(size_of(file), written, path)
        prefix = _checked_header(file, expected, path)
        content = prefix + read_exactly(file, size_of(file) - len(prefix), path)
    if written:
        check_fingerprint(content, written, path)
    return _decode(content, path)


def check_tensors(path: Path, expected: Expected | None) -> None:
    """Judge a file of tensors by its header alone, before anything is made that is as large as it says.

    Raises what `read_tensors` raises for it.
    """
    with open_regular(path) as file:
        _checked_header(file, expected, path)


def _checked_header(file: FileIO, expected: Expected | Judge | None, path: Path) -> bytes:
    """The first bytes of a file, up to its data, of which the header is right."""
    prefix = _read_header(file, path)
    _check_header(parse_object(prefix[8:], path), expected, size_of(file) - len(prefix), path)
    return prefix


def _read_header(file: FileIO, path: Path) -> bytes:
    """The first eight bytes and the header that they announce."""
    start = read_exactly(file, 8, path)
    length = int.from_bytes(start, "little")
    if length > HEADER_LIMIT:
        raise ModelError(f"{path}: a header of {length} bytes, at most {HEADER_LIMIT} are read")
    return start + read_exactly(file, length, path)


def _check_header(header: dict[str, Any], expected: Expected | Judge | None, size: int, path: Path) -> None:
    """Raise `ModelError` unless the header fits what is expected and the `size` bytes of data."""
    header.pop("__metadata__", None)  # a comment to us
    if isinstance(expected, Mapping):  # before anything is made of each of many entries
        _check_names(set(header), set(expected), path)
    entries = {name: conform(entry, Entry, path, name) for name, entry in header.items()}
    if expected is not None:
        kinds = {name: entry.kind for name, entry in entries.items()}
        wanted = expected if isinstance(expected, Mapping) else expected(kinds)
        _check_names(set(kinds), set(wanted), path)
        _check_kinds(entries, wanted, path)
    _check_layout(entries, size, path)


def _check_names(found: set[str], expected: set[str], path: Path) -> None:
    if missing := expected - found:
        raise ModelError(f"{path}: lacks {_first_five(missing)}")
    if extra := found - expected:
        raise ModelError(f"{path}: holds what the configuration does not have: {_first_five(extra)}")


def _check_kinds(entries: dict[str, Entry], expected: Expected, path: Path) -> None:
    wrong = [name for name, entry in entries.items() if entry.kind != expected[name]]
    if wrong:
        first = min(wrong)
        found, wanted = (f"{dtype} {shape}" for dtype, shape in (entries[first].kind, expected[first]))
        raise ModelError(
            f"{path}: {_first_five(wrong)} not as the configuration has it: "
            f"{first[:60]!r} is {found}, expected {wanted}"
        )


def _check_layout(entries: dict[str, Entry], size: int, path: Path) -> None:
    """Raise `ModelError` unless the tensors fill the data from its first byte to its last."""
    end = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        first, last = entry.data_offsets
        if first != end:
            raise ModelError(f"{path}: {name[:60]!r} starts at byte {first}, the one before it ends at {end}")
        if last - first != entry.size:
            raise ModelError(f"{path}: {name[:60]!r} has {last - first} bytes, its shape needs {entry.size}")
        end = last
    if end != size:
        raise ModelError(f"{path}: {size} bytes of data, its header describes {end}; the file is damaged")


def _decode(content: bytes, path: Path) -> dict[str, np.ndarray[Any, Any]]:
    try:
        tensors: dict[str, np.ndarray[Any, Any]] = safetensors.numpy.load(content)
    except SafetensorError as error:
        raise ModelError(f"{path}: {error}") from error
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise ModelError(f"{path}: {name[:60]!r} holds nan or infinity")
    return tensors


def _first_five(names: set[str] | list[str]) -> str:
    """The first five names, and how many more there are."""
    shown = ", ".join(repr(name[:60]) for name in sorted(names)[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
