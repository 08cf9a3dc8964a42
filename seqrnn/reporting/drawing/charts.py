"""Charts as what a template needs to draw them: positions of lines, marks and texts in an SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import ClassVar

from seqrnn.reporting.drawing.axes import Axis, bounds, widened

Points = Sequence[tuple[float, float]]
WIDTH, HEIGHT = 360, 230  # as wide as a telephone, so that texts keep their size there
LEFT, RIGHT, TOP, BOTTOM = 46, 350, 18, 190
MOST_MARKS = 40  # points of a line that bear a mark each
_numbers = count(1)


@dataclass(frozen=True)
class Line:
    """A curve through points; `style` is one of a, b, c, d and ideal (what would be perfect).

    `errors` are of the heights; `weights` say how much a point stands for, which draws its mark larger.
    Points that are not `joined` are marks alone.
    """

    name: str
    points: Points
    style: str = "a"
    errors: Sequence[float] = ()
    weights: Sequence[float] = ()
    joined: bool = True


@dataclass(frozen=True)
class DrawnMark:
    """A point of a line, what it says, and its error bar, if it has one."""

    x: float
    y: float
    text: str
    low: float | None = None
    high: float | None = None
    radius: float = 2.8


@dataclass(frozen=True)
class DrawnLine:
    """A curve in positions of the drawing."""

    name: str
    style: str
    path: str
    marks: Sequence[DrawnMark]


@dataclass(frozen=True)
class Chart:
    """A chart with its axes; `description` says in words what it shows."""

    title: str
    description: str
    x: Axis
    y: Axis
    lines: Sequence[DrawnLine]
    flag: DrawnMark | None = None
    key: int = field(default_factory=lambda: next(_numbers))
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Frame:
    """What the axes of a chart say; a range that is not given holds all points."""

    title: str
    x_label: str
    y_label: str
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    x_percent: bool = False
    y_percent: bool = False
    y_power: bool = False  # heights are powers of ten
    floor: float | None = None  # a value that the range of y holds as well


@dataclass(frozen=True)
class SmallLines:
    """Lines without axes, to be shown beside a text."""

    paths: Sequence[str]
    width: ClassVar[int] = 260
    height: ClassVar[int] = 64


def line_chart(frame: Frame, lines: Sequence[Line], flag: tuple[float, str] | None = None) -> Chart | None:
    """Draw lines over one another, and a vertical `flag` at a value of x; None where there is no point."""
    lines = [kept for line in lines if (kept := _within(line, frame.y_range)).points]
    if not lines:
        return None
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    x = Axis(frame.x_label, *(frame.x_range or bounds(xs)), LEFT, RIGHT, frame.x_percent)
    heights = frame.y_range or widened(*bounds(ys, frame.floor))
    y = Axis(frame.y_label, *heights, BOTTOM, TOP, frame.y_percent, frame.y_power)
    told = "; ".join(described(line, frame) for line in lines if line.style != "ideal")
    flagged = None if flag is None else DrawnMark(x.position(flag[0]), TOP, flag[1])
    drawn = [_drawn(line, x, y, frame) for line in lines]
    return Chart(frame.title, f"{frame.y_label} by {frame.x_label}. {told}.", x, y, drawn, flagged)


def _within(line: Line, heights: tuple[float, float] | None) -> Line:
    """Return a line without the points that are too high or too low, if its frame has a range."""
    if heights is None or line.errors or line.weights:  # which belong to the points, all of which are shares
        return line
    low, high = heights
    return replace(line, points=[(x, y) for x, y in line.points if low <= y <= high])


def described(line: Line, frame: Frame) -> str:
    """Say in words where a line begins and ends, and its extremes."""
    (first, start), (last, stop) = line.points[0], line.points[-1]
    low, high = min(line.points, key=_height), max(line.points, key=_height)
    write_x, write_y = _number(frame.x_percent), _height_of(frame)
    return (
        f"{line.name}: {write_y(start)} at {write_x(first)}, {write_y(stop)} at {write_x(last)}, "
        f"lowest {write_y(low[1])} at {write_x(low[0])}, highest {write_y(high[1])} at {write_x(high[0])}"
    )


def small_lines(series: Sequence[Sequence[float]]) -> SmallLines:
    """Draw values over time without axes, each line in the same range."""
    values = [value for line in series for value in line]
    y = Axis("", *bounds(values), SmallLines.height - 2, 2)
    x = Axis("", 0, max(1, max(map(len, series)) - 1), 2, SmallLines.width - 2)
    paths = [
        "M" + "L".join(f"{x.position(step):g} {y.position(value):g}" for step, value in enumerate(line))
        for line in series
    ]
    return SmallLines(paths)


def powers(points: Points) -> list[tuple[float, float]]:
    """Return points with the decimal logarithm of each height; those of 0 are left out."""
    return [(x, math.log10(y)) for x, y in points if y > 0]


def _drawn(line: Line, x: Axis, y: Axis, frame: Frame) -> DrawnLine:
    positions = [(x.position(a), y.position(b)) for a, b in line.points]
    path = "M" + "L".join(f"{a:g} {b:g}" for a, b in positions) if line.joined else ""
    drawn = line.style != "ideal" and (len(positions) <= MOST_MARKS or not line.joined)
    marks = (
        [_mark(line, number, position, y, frame) for number, position in enumerate(positions)]
        if drawn
        else []
    )
    return DrawnLine(line.name, line.style, path, marks)


def _mark(line: Line, number: int, position: tuple[float, float], y: Axis, frame: Frame) -> DrawnMark:
    value, height = line.points[number]
    told = f"{line.name}: {_height_of(frame)(height)} at {_number(frame.x_percent)(value)}"
    low = high = None
    if line.errors:
        error = line.errors[number]
        low, high = y.position(height - error), y.position(height + error)
    radius = 2.8
    if line.weights:
        radius = round(1.5 + 5 * (line.weights[number] / max(line.weights)) ** 0.5, 2)
    return DrawnMark(*position, told, low, high, radius)


def _height(point: tuple[float, float]) -> float:
    return point[1]


def _height_of(frame: Frame) -> Callable[[float], str]:
    return (lambda value: f"{10.0**value:.2g}") if frame.y_power else _number(frame.y_percent)


def _number(percent: bool) -> Callable[[float], str]:
    return (lambda value: f"{value:.1%}") if percent else (lambda value: f"{value:,.4g}")
