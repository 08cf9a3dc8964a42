"""The parameters of a network by name: which there must be, and then those that there are.

A network is described once, by a function that asks for each parameter by its name and shape. That
function is run twice: first to learn what a file must hold, before anything of it is read, and then
to hand the arrays out. Hence what a configuration claims never takes memory that the file does not
fill, and a constructor must not touch an array; what is prepared for speed is prepared at first use.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np

from seqrnn.run.tensors import Expected

Array = np.ndarray
Take = Callable[[str, tuple[int, ...]], Array]
"""Hands out the parameter of a name and shape."""

Network = TypeVar("Network")

UNFILLED = np.empty(0, dtype=np.float32)
CACHE_LINE = 64  # bytes


def within(take: Take, part: str) -> Take:
    """Return what hands out the parameters of a part of the network, by their names in that part."""
    return lambda name, shape: take(f"{part}.{name}", shape)


def parameters_of(describe: Callable[[Take], object]) -> Expected:
    """Return dtype and shape of each parameter that a network asks for, by name; takes no memory for them."""
    expected: dict[str, tuple[str, tuple[int, ...]]] = {}

    def note(name: str, shape: tuple[int, ...]) -> Array:
        expected[name] = ("float32", shape)
        return UNFILLED

    describe(note)
    return expected


def load_network(
    describe: Callable[[Take], Network], read: Callable[[Expected], Mapping[str, Array]]
) -> Network:
    """Make the network that `describe` asks the parameters of, filled with what `read` finds for them."""
    arrays = read(parameters_of(describe))
    return describe(lambda name, _: arrays[name])


def aligned(shape: tuple[int, ...]) -> Array:
    """Return an array that begins with a line of the processor's cache, to be filled.

    A matrix that does not takes up to a fifth longer to be multiplied by a vector.
    """
    size = 4 * math.prod(shape)
    content = np.empty(size + CACHE_LINE, dtype=np.uint8)
    start = -content.ctypes.data % CACHE_LINE
    return content[start : start + size].view(np.float32).reshape(shape)
