"""From values to positions in a drawing: ranges, round ticks, and how numbers at them are written."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

TICKS = 5  # about so many on an axis


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its position in the drawing, and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Axis:
    """One direction of a drawing: values from `low` to `high` lie at positions from `start` to `stop`."""

    label: str
    low: float
    high: float
    start: float
    stop: float
    percent: bool = False
    power: bool = False  # values are powers of ten, and written as what they stand for

    def position(self, value: float) -> float:
        """Return where a value lies."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.stop - self.start), 2)

    @property
    def ticks(self) -> Sequence[Tick]:
        """Marks at round values."""
        values, step = round_values(self.low, self.high)
        write = _of_powers(self.percent, values) if self.power else _writer(step, self.percent)
        return [Tick(self.position(value), write(value)) for value in values]


def bounds(values: Sequence[float], floor: float | None = None) -> tuple[float, float]:
    """Return a range that holds all values, and `floor` if one is given; one that is not empty."""
    known = [value for value in values if math.isfinite(value) and abs(value) < 1e300]
    low, high = min(known, default=0.0), max(known, default=1.0)
    low = low if floor is None else min(low, floor)
    if high <= low:
        apart = abs(low) / 2 or 0.5
        low, high = low - (apart if floor is None else 0.0), high + apart
    return low, high


def widened(low: float, high: float) -> tuple[float, float]:
    """Return a range that begins and ends at round values."""
    _, step = round_values(low, high)
    return math.floor(low / step + 1e-6) * step, math.ceil(high / step - 1e-6) * step


def round_values(low: float, high: float) -> tuple[list[float], float]:
    """Return about `TICKS` multiples of 1, 2 or 5 times a power of ten between two values, and the step."""
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-6)
    last = math.floor(high / step + 1e-6)
    return [number * step for number in range(first, last + 1)], step


def _of_powers(percent: bool, values: Sequence[float]) -> Callable[[float], str]:
    """Write what whole powers of ten stand for, and of other values only if those are too few to read by."""
    has_several = sum(map(_is_whole, values)) > 1

    def write(value: float) -> str:
        if not _is_whole(value):
            rounded = f"{10.0**value:.1%}" if percent else f"{10.0**value:,.3g}"
            return "" if has_several else rounded
        return f"{10.0**value:.{max(0, -round(value) - 2)}%}" if percent else f"{10.0**value:g}"

    return write


def _is_whole(value: float) -> bool:
    return abs(value - round(value)) < 1e-9


def _writer(step: float, percent: bool) -> Callable[[float], str]:
    if percent:
        digits = max(0, -math.floor(math.log10(step * 100) + 1e-9))
        return lambda value: f"{value:.{digits}%}"
    if step >= 1000:
        return lambda value: f"{value / 1000:,.{0 if step % 1000 == 0 else 1}f}k"
    if step < 1e-3:
        return lambda value: f"{value:.2g}"
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return lambda value: f"{value:,.{digits}f}"
