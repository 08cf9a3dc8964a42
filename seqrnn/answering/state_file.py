"""The state of a language model as a file: written after a text, to continue it later.

A NumPy archive (.npz): `logits` (1, V) of the next token, and each array (1, H) of the state of each
layer, as `layer.0.h`, under the name of the weights that it belongs to. Nothing of it is trusted: only what
`write_state` writes is read, uncompressed arrays of just these names and shapes. So the file cannot be
larger than the model's sizes say, nothing is unpacked, and no header is evaluated.
"""

from __future__ import annotations

import io
import math
import os
import stat
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from seqrnn.catalog import CELLS, load
from seqrnn.config import ModelConfig
from seqrnn.errors import ModelError
from seqrnn.run.files import replace_file

Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Array]
Shapes = Mapping[str, tuple[int, ...]]

DTYPE = "<f4"
MAX_OVERHEAD = 1024  # bytes of the archive for a member, beside its numbers
ADVICE = "write it again with `state_out`"
MALFORMED = (zipfile.BadZipFile, struct.error, ValueError, LookupError, EOFError, RuntimeError, OSError)
"""What `zipfile` raises for archives that it cannot read."""


def state_shapes(config: ModelConfig, vocabulary_size: int) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of the arrays that make up the state of a language model."""
    shapes: dict[str, tuple[int, ...]] = {"logits": (1, vocabulary_size)}
    for depth in range(config.num_layers):
        for name, shape in load(CELLS[config.cell]).state(config.hidden_size).items():
            shapes[f"layer.{depth}.{name}"] = (1, *shape)
    return shapes


def write_state(path: Path, model: str, arrays: Arrays) -> None:
    """Write the arrays of the model named `model`, whole or not at all. Raises OutputError."""
    content = io.BytesIO()
    members: dict[str, Any] = {f"{model}/{name}": array.astype(DTYPE) for name, array in arrays.items()}
    np.savez(content, **members)
    replace_file(path, content.getvalue())


def read_state(path: Path, model: str, shapes: Shapes) -> dict[str, Array]:
    """Read the arrays of these `shapes` of the model named `model`.

    Raises ModelError where the file is missing, damaged or of another model.
    """
    content = _read(path, sum(4 * math.prod(shape) + MAX_OVERHEAD for shape in shapes.values()))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [member.filename for member in archive.infolist()]
            if sorted(names) != sorted(f"{model}/{name}.npy" for name in shapes):
                raise ModelError(f"{path}: is not a state of this model; {ADVICE}")
            return {
                name: _read_array(archive, f"{model}/{name}.npy", shape) for name, shape in shapes.items()
            }
    except MALFORMED as error:
        raise ModelError(f"{path}: damaged ({error}); {ADVICE}") from None


def _read(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes. Raises ModelError."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ModelError(f"{path}: is not a regular file; give a file of `state_out`")
            content = file.read(limit + 1)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; give a file of `state_out`") from None
    if len(content) > limit:
        raise ModelError(f"{path}: is larger than a state of this model; {ADVICE}")
    return content


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _read_array(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...]) -> Array:
    """Read one member in single precision. Raises ValueError where it is anything else."""
    member, start, size = archive.getinfo(name), _header(shape), 4 * math.prod(shape)
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != len(start) + size:
        raise ValueError(f"{name} is not an array {shape}")
    content = archive.read(member)
    if not content.startswith(start):
        raise ValueError(f"{name} is not an array {shape} in single precision")
    array = np.frombuffer(content, dtype=DTYPE, offset=len(start)).reshape(shape).astype(np.float32)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds nan or infinity")
    return array


def _header(shape: tuple[int, ...]) -> bytes:
    """What NumPy writes before the numbers of an array."""
    content = io.BytesIO()
    npy.write_array_header_1_0(content, {"descr": DTYPE, "fortran_order": False, "shape": shape})
    return content.getvalue()
