"""Strokes of a pen as movements from moment to moment, and the figure that each draws: series with a label.

A figure comes in any size, direction, number of moments and, where it has ends, from either of them;
the hand trembles. So no single movement tells the figure: their order does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from math import asin, cos, pi, sin, tau
from random import Random

TRAIN_ROWS, TEST_ROWS = 400, 120
MOMENTS = range(16, 33)
TREMBLE = 0.015  # deviation of a point, as a share of the figure's size

Point = tuple[float, float]

FIGURES: dict[str, Callable[[float], Point]] = {  # how much is drawn, from 0 to 1 -> where the pen is
    "circle": lambda drawn: (cos(tau * drawn) / 2, sin(tau * drawn) / 2),
    "eight": lambda drawn: (sin(tau * drawn) / 2, sin(2 * tau * drawn) / 4),
    "spiral": lambda drawn: (drawn * cos(2 * tau * drawn) / 2, drawn * sin(2 * tau * drawn) / 2),
    "square": lambda drawn: (_ramp(4 * drawn), _ramp(4 * drawn - 1)),
    "zigzag": lambda drawn: (drawn, asin(sin(2.5 * tau * drawn)) / pi / 2.5),
}


def split(rng: Random) -> tuple[str, str]:
    """Return the strokes to train on and those to test on, as JSON lines."""
    rows = [_stroke(rng) for _ in range(TRAIN_ROWS + TEST_ROWS)]
    return "".join(rows[:TRAIN_ROWS]), "".join(rows[TRAIN_ROWS:])


def _stroke(rng: Random) -> str:
    figure = rng.choice(sorted(FIGURES))
    moments, size = rng.choice(MOMENTS), rng.uniform(3, 6)
    across, direction = rng.choice((-1, 1)), rng.uniform(0, tau)
    points = []
    for moment in range(moments + 1):
        x, y = FIGURES[figure](moment / moments)
        x, y = rng.gauss(x, TREMBLE), across * rng.gauss(y, TREMBLE)
        turned = (x * cos(direction) - y * sin(direction), x * sin(direction) + y * cos(direction))
        points.append((size * turned[0], size * turned[1]))
    if rng.random() < 0.5:
        points.reverse()
    steps = [[round(x - old_x, 2), round(y - old_y, 2)] for (old_x, old_y), (x, y) in pairwise(points)]
    return json.dumps({"vectors": steps, "label": figure}) + "\n"


def _ramp(time: float) -> float:
    """Go from 0 to 1 in one unit of time, wait for one, and go back."""
    return min(max(min(time, 3 - time), 0.0), 1.0)
