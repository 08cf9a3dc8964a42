"""How numbers are distributed: percentiles, and counts in equal steps for a drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
BINS = 12  # of a histogram, about
ROUND = (1, 2, 2.5, 5, 10)  # widths of a bin, times a power of 10


class Bin(NamedTuple):
    """How many values (`number`) are from `low` to below `high`; of integers, to `high` itself."""

    low: float
    high: float
    number: int


@dataclass(frozen=True)
class Distribution:
    """Mean, extremes, percentiles (each is a value that occurs) and a histogram of some numbers."""

    count: int
    mean: float
    deviation: float
    least: float
    largest: float
    percentiles: dict[str, float]
    histogram: list[Bin]


def distribution(values: NDArray[Any]) -> Distribution | None:
    """Describe numbers (N,); None where there are none."""
    if not len(values):
        return None
    found = np.percentile(values, PERCENTILES, method="inverted_cdf")
    return Distribution(
        count=len(values),
        mean=float(values.mean(dtype=np.float64)),
        deviation=float(values.std(dtype=np.float64)),
        least=values.min().item(),
        largest=values.max().item(),
        percentiles={str(share): value.item() for share, value in zip(PERCENTILES, found, strict=True)},
        histogram=histogram(values),
    )


def histogram(values: NDArray[Any]) -> list[Bin]:
    """Count values (N,) in steps of a round width; the last takes all beyond the 99th percentile."""
    low, high = values.min().item(), np.percentile(values, 99, method="inverted_cdf").item()
    whole = np.issubdtype(values.dtype, np.integer)
    width = _round_width((high - low + whole) / BINS, whole)
    if not width:
        return [Bin(low, high, len(values))]
    start = math.floor((low - whole) / width) * width + whole  # integers: 1-5, 6-10, ...
    bins = max(math.ceil((high + whole - start) / width), 1)
    edges = start + width * np.arange(bins)
    index = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
    counts = np.bincount(index, minlength=bins).tolist()
    lows = edges.tolist()
    highs = [*(edge - whole for edge in lows[1:]), max(values.max().item(), lows[-1])]
    return [Bin(*each) for each in zip(lows, highs, counts, strict=True)]


def _round_width(least: float, whole: bool) -> float:
    if not least or not math.isfinite(least):
        return 0.0
    if whole and least <= 1:
        return 1
    power = 10.0 ** math.floor(math.log10(least))
    width = next(step * power for step in ROUND if step * power >= least * (1 - 1e-9))
    return math.ceil(width) if whole else width
