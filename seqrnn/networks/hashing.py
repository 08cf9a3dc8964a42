"""Numbers of n-grams: what the operations of `ops.py` mean for arrays of NumPy and PyTorch alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

FACTOR = 16_777_619
MODULUS = 2**31 - 1
"""Of a polynomial hash; no product of them leaves 63 bits."""


class Integers(Protocol):
    """What arrays of integers can do."""

    shape: Any

    def __getitem__(self, index: Any) -> Any:
        """Take a part of it."""


Array = TypeVar("Array", bound=Integers)


def windows(x: Array, size: int) -> list[Array]:
    """Return the first of all `size` neighbours in (B, T), the second ...: each (B, T - size + 1)."""
    count = max(x.shape[1] - size + 1, 0)
    return [x[:, first : first + count] for first in range(size)]


def hashed(parts: Sequence[Any], buckets: int) -> Any:
    """Return a number from 1 to `buckets` - 1 for the int64 at each position of all `parts`, in order."""
    number: Any = len(parts)
    for part in parts:
        number = (number * FACTOR + part) % MODULUS
    return 1 + number % (buckets - 1)
