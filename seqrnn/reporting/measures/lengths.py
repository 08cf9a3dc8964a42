"""How good answers are by the length of the input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.wording import counted
from seqrnn.library.figures import is_rate

MOST_BINS = 8
FEWEST = 4  # examples in a bin that a sentence may speak of
FAR = 0.05  # a difference that is worth a word


@dataclass(frozen=True)
class LengthBin:
    """Examples of `low` to `high` tokens or steps: how many, and their mean score with its standard error."""

    low: int
    high: int
    count: int
    mean: float
    error: float


@dataclass(frozen=True)
class ByLength:
    """The mean score of examples by their length in a `unit`, a token or a step."""

    name: str
    unit: str
    bins: Sequence[LengthBin]
    verdict: str


def by_length(
    name: str, lengths: NDArray[np.int64], scores: NDArray[np.float64], unit: str = "token"
) -> ByLength | None:
    """Sort the scores (N,) of examples by length (N,) into bins of about as many each.

    `name` is what the mean score is called. None where all lengths are the same.
    """
    if len(lengths) == 0 or lengths.min() == lengths.max():
        return None
    shares = np.arange(MOST_BINS) / MOST_BINS  # of the examples, which are before each bin
    starts = np.unique(np.quantile(lengths, shares, method="lower"))
    bin_of = np.searchsorted(starts, lengths, side="right") - 1
    bins = [
        _bin(lengths[bin_of == number], scores[bin_of == number])
        for number in range(len(starts))
        if (bin_of == number).any()
    ]
    return ByLength(name, unit, bins, _verdict(name, unit, bins)) if len(bins) > 1 else None


def _bin(lengths: NDArray[np.int64], scores: NDArray[np.float64]) -> LengthBin:
    deviation = float(scores.std(ddof=1)) if len(scores) > 1 else 0.0
    error = deviation / len(scores) ** 0.5
    return LengthBin(int(lengths.min()), int(lengths.max()), len(scores), float(scores.mean()), error)


def _verdict(name: str, unit: str, bins: Sequence[LengthBin]) -> str:
    told = [each for each in bins if each.count >= FEWEST]
    if len(told) < 2:
        return ""
    low, high = min(told, key=lambda each: each.mean), max(told, key=lambda each: each.mean)
    if high.mean - low.mean <= FAR * max(abs(high.mean), abs(low.mean)):
        return f"The {name} hardly depends on the length."
    lowest, highest = (f"{each.mean:.1%}" if is_rate(name) else f"{each.mean:.3g}" for each in (low, high))
    return f"Lowest {name}: {lowest} at {_range(low, unit)}; highest: {highest} at {_range(high, unit)}."


def _range(each: LengthBin, unit: str) -> str:
    if each.low == each.high:
        return counted(each.low, unit)
    return f"{each.low:,} to {each.high:,} {unit}s"
