"""Numbers that were predicted, beside those that are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqrnn.reporting.subject import Example

MOST_POINTS = 400
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SHOWN = 10


@dataclass(frozen=True)
class FarOff:
    """An example with a large error: where it is, the right number and the predicted one."""

    place: str
    expected: float
    predicted: float


@dataclass(frozen=True)
class Numbers:
    """Right and predicted numbers: some `points`, the quantiles of the error, and the largest errors."""

    examples: int
    points: Sequence[tuple[float, float]]
    bias: float
    mean_absolute_error: float
    quantiles: Sequence[tuple[float, float]]
    largest: Sequence[FarOff]
    verdict: str


def number_errors(examples: Sequence[Example]) -> Numbers | None:
    """Compare the numbers of examples; the error is the predicted number less the right one."""
    graded = [(each, each.grade) for each in examples if each.grade is not None]
    if not graded:
        return None
    pairs = np.array([(grade.expected, grade.predicted) for _, grade in graded], dtype=np.float64)  # (N, 2)
    errors = pairs[:, 1] - pairs[:, 0]
    stride = -(-len(pairs) // MOST_POINTS)
    order = np.argsort(-np.abs(errors), kind="stable")[:SHOWN]
    largest = [FarOff(graded[at][0].record.location, *pairs[at].tolist()) for at in order.tolist()]
    levels = np.quantile(errors, QUANTILES).tolist()
    bias, absolute = float(errors.mean()), float(np.abs(errors).mean())
    middle, span = levels[2], levels[4] - levels[0]
    verdict = f"Nine in ten errors lie between {levels[0]:.4g} and {levels[4]:.4g}"
    lean = f"; half of them are above {middle:.3g}" if abs(middle) > span / 10 else ""
    points = [(float(x), float(y)) for x, y in pairs[::stride]]
    quantiles = list(zip(QUANTILES, levels, strict=True))
    return Numbers(len(pairs), points, bias, absolute, quantiles, largest, f"{verdict}{lean}.")
