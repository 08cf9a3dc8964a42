"""Arrays of NumPy from outside: an .npy file, of which nothing is trusted and nothing ever a pickle."""

from __future__ import annotations

import numpy as np
from numpy.lib import format as npy


def map_array(path: str) -> np.ndarray:
    """Return the array of numbers in an .npy file; it stays on disk until it is used.

    Raises OSError where the file cannot be read, and ValueError where it holds anything else.
    """
    try:
        with np.errstate(all="ignore"):  # a shape that overflows is found out by the size of the file
            array = npy.open_memmap(path, mode="r")  # unlike numpy.load, it takes no .npz and no pickle
    except OSError:
        raise
    except Exception as error:  # a header is Python's syntax, and can be wrong in as many ways
        raise ValueError(f"no array of NumPy: {error}") from error
    if array.dtype.kind not in "iuf":
        raise ValueError(f"an array of {array.dtype}, not of numbers")
    return array.view(np.ndarray)
