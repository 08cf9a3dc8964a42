"""Whether two models differ on the same rows by more than chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

DRAWS = 9_999  # of signs, for the test
RESAMPLES = 2_000  # of rows, for the interval
TOGETHER = 2**18  # rows that are drawn at once
CHANCE = 0.05  # probability below which a difference is told as one

Test = Literal["McNemar", "sign flips"]
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Paired:
    """The mean score of the second of two models, less that of the first, on the same `rows`.

    `low` and `high` bound it in 95 % of resampled data. `p_value` is the probability of a difference as
    large if models were exchangeable row by row: of McNemar's exact test where scores are 0 or 1, else of
    a test that flips signs at random.
    """

    first: str
    second: str
    rows: int
    difference: float
    low: float
    high: float
    p_value: float
    test: Test

    @property
    def is_told(self) -> bool:
        """Whether chance is no good explanation of the difference."""
        return self.p_value < CHANCE


def compare(names: tuple[str, str], first: Scores, second: Scores, seed: int = 1) -> Paired:
    """Compare the scores (N,) of two models on N > 0 rows, in the same order."""
    differences = second - first
    binary = bool(np.isin(first, (0.0, 1.0)).all() and np.isin(second, (0.0, 1.0)).all())
    generator = np.random.default_rng(seed)
    parts = _parts(RESAMPLES, len(differences))
    means = [generator.choice(differences, (draws, len(differences))).mean(axis=1) for draws in parts]
    low, high = np.quantile(np.concatenate(means), (0.025, 0.975)).tolist()
    p_value = mcnemar(differences) if binary else sign_flips(differences, generator)
    told: Test = "McNemar" if binary else "sign flips"
    return Paired(*names, len(differences), float(differences.mean()), low, high, p_value, told)


def mcnemar(differences: Scores) -> float:
    """Return the p-value of McNemar's exact test of differences (N,) of 1, 0 and -1."""
    from scipy.stats import binomtest

    better, worse = int((differences > 0).sum()), int((differences < 0).sum())
    return 1.0 if better + worse == 0 else float(binomtest(better, better + worse).pvalue)


def sign_flips(differences: Scores, generator: np.random.Generator) -> float:
    """Return how often differences (N,) with random signs have a sum as far from 0, the true one counted."""
    filled = differences[differences != 0]
    observed = abs(float(filled.sum()))
    tolerance = 1e-12 * float(np.abs(filled).sum())
    far = 1
    for draws in _parts(DRAWS, len(filled)):
        signs = generator.integers(0, 2, size=(draws, len(filled))) * 2 - 1
        far += int((np.abs(signs @ filled) >= observed - tolerance).sum())
    return far / (DRAWS + 1)


def _parts(draws: int, rows: int) -> Iterator[int]:
    """Divide draws of so many rows each into parts, each of which is drawn at once."""
    most = max(1, TOGETHER // max(rows, 1))
    for start in range(0, draws, most):
        yield min(most, draws - start)
