"""How long examples are, and what a limit would cut.

Shapes: N examples.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.distribution import Distribution, distribution

MOST_LIMITS = 6


@dataclass(frozen=True)
class Cut:
    """What `max_tokens` would cut: the shares of the examples and of the tokens, from 0 to 1."""

    max_tokens: int
    examples: float
    tokens: float


@dataclass(frozen=True)
class Lengths:
    """How many of a unit (token, step) an example has, and what limits would cut."""

    unit: str
    total: int
    spread: Distribution
    cuts: list[Cut]


def describe_lengths(lengths: NDArray[np.int64], unit: str, wanted: int | None, cuts: bool) -> Lengths | None:
    """Describe lengths (N,); `wanted` is the limit of the configuration, if it has one."""
    spread = distribution(lengths)
    if spread is None:
        return None
    limits = _limits(lengths, wanted) if cuts else []
    total = int(lengths.sum())
    return Lengths(unit, total, spread, [_cut(lengths, limit, total) for limit in limits])


def _limits(lengths: NDArray[np.int64], wanted: int | None) -> Iterable[int]:
    """Return round limits from about the median to the longest example, and the one that is wanted."""
    middle, longest = int(np.median(lengths)), int(lengths.max())
    usual = sorted(times << power for power in range(23) for times in (2, 3))  # 2, 3, 4, 6, 8, 12, ...
    limits = [limit for limit in usual if middle < limit < longest]
    return sorted({*limits[:MOST_LIMITS], *([wanted] if wanted else [])})


def _cut(lengths: NDArray[np.int64], limit: int, total: int) -> Cut:
    over = np.maximum(lengths - limit, 0)
    return Cut(limit, float((over > 0).mean()), float(over.sum() / max(total, 1)))
