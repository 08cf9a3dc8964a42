"""Where a language model stands in a text, as a file: `generate --state-out` writes it, `--state-in` goes on.

A NumPy archive (.npz): `logits` (1, V) of the next token, and each array (1, H) of the state of each
layer, as `layer.0.h`, under the name of the weights that it belongs to. Nothing of it is trusted: a
member is read once its size, and then its header, are what the model's sizes say.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from seqrnn.catalog import CELLS, load
from seqrnn.config import ModelConfig
from seqrnn.errors import DataError, OutputError

Arrays = Mapping[str, np.ndarray[Any, Any]]
Shapes = Mapping[str, tuple[int, ...]]

MOST_HEADER = 1024  # bytes before the numbers of a member


def state_shapes(config: ModelConfig, vocabulary_size: int) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of the arrays that say where a language model stands."""
    shapes: dict[str, tuple[int, ...]] = {"logits": (1, vocabulary_size)}
    for depth in range(config.num_layers):
        for name in load(CELLS[config.cell]).state_names:
            shapes[f"layer.{depth}.{name}"] = (1, config.hidden_size)
    return shapes


def write_state(path: Path, model: str, arrays: Arrays) -> None:
    """Write the arrays of the model named `model`. Raises OutputError."""
    content = io.BytesIO()
    np.savez(content, **{f"{model}/{name}": array for name, array in arrays.items()})  # type: ignore[arg-type]
    try:
        path.write_bytes(content.getvalue())
    except OSError as error:
        raise OutputError(f"writing {path}: {error.strerror}") from None


def read_state(path: Path, model: str, shapes: Shapes) -> dict[str, np.ndarray[Any, Any]]:
    """Read the arrays of these `shapes` of the model named `model`.

    Raises DataError where the file is missing, damaged or of another model.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist()}
            if set(sizes) != {f"{model}/{name}.npy" for name in shapes}:
                raise DataError(f"{path}: is no state of this model; write it with this one's --state-out")
            return {
                name: _read_array(archive, f"{model}/{name}.npy", shape) for name, shape in shapes.items()
            }
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}; give a file of --state-out") from None
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, RuntimeError) as error:
        raise DataError(f"{path}: damaged ({error}); write it again with --state-out") from None


def _read_array(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Read one member in single precision. Raises ValueError where it is anything else."""
    size = 4 * int(np.prod(shape))
    if archive.getinfo(name).file_size > size + MOST_HEADER:
        raise ValueError(f"{name} is larger than {size} bytes")
    with archive.open(name) as member:
        npy.read_magic(member)
        found, fortran_order, dtype = npy.read_array_header_1_0(member)
        if (found, fortran_order, dtype) != (shape, False, np.dtype(np.float32)):
            raise ValueError(f"{name} is {dtype} {found}")
        array = np.frombuffer(member.read(), dtype=np.float32).reshape(shape).copy()
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds nan or infinity")
    return array
