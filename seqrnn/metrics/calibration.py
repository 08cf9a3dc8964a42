"""How far probabilities can be trusted: fitted on answers whose truth is known, and measured on others.

Shapes: N answers, K classes. Probabilities of classes come as natural logarithms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqrnn.run.calibration import (
    MAX_OFFSET,
    MAX_SLOPE,
    MAX_TEMPERATURE,
    MIN_SLOPE,
    MIN_TEMPERATURE,
    Confidence,
)

Array = np.ndarray[Any, Any]

BINS = 15  # of the expected calibration error, as in Guo et al. 2017
CURVE_STEPS = 101  # points of a curve of coverage against accuracy
MIN_SEQUENCES = 10  # without which no confidence is fitted
MAX_SAMPLE = 2**19  # numbers from which a temperature is fitted
TINY = 1e-12


def with_temperature(log_probs: Array, temperature: float) -> Array:
    """Return `log_probs` (..., K) of classes of which one holds, after their scores are divided."""
    if temperature == 1.0:
        return log_probs
    divided = log_probs / temperature
    most = divided.max(axis=-1, keepdims=True)
    scaled: Array = divided - most - np.log(np.exp(divided - most).sum(axis=-1, keepdims=True))
    return scaled


def surest_with_temperature(log_probs: Array, temperature: float) -> Array:
    """Return the probability (...,) of the likeliest class of each `with_temperature`, and no other."""
    most = log_probs.max(axis=-1, keepdims=True)
    surest: Array = np.exp(most[..., 0])
    if temperature != 1.0:
        powers = (log_probs - most) / temperature
        surest = 1.0 / np.exp(powers, out=powers).sum(axis=-1)
    return surest


def with_temperature_each(log_probs: Array, temperature: float) -> Array:
    """Return `log_probs` of labels that hold or not, each by itself, after their scores are divided."""
    if temperature == 1.0:
        return log_probs
    return -np.logaddexp(0.0, -log_odds(log_probs) / temperature).astype(log_probs.dtype)


def log_odds(log_probs: Array) -> Array:
    """Return `log(p / (1 - p))` of natural-log probabilities; infinite where p is 1."""
    with np.errstate(divide="ignore"):
        odds: Array = log_probs - np.log(-np.expm1(np.minimum(log_probs, 0.0)))
    return odds


def fit_temperature(log_probs: Array, targets: Array) -> float:
    """Return the temperature under which the true classes `targets` (N,) of `log_probs` (N, K) are likeliest.

    The truth is taken for certain only as far as N answers can show (Platt 1999), so that a few answers
    that are all right do not make a model sure of everything. 1.0 where there are no answers.
    """
    if not len(targets):
        return 1.0
    doubt = 1.0 / (len(targets) + 2.0)
    true = log_probs[np.arange(len(targets)), targets].mean(dtype=np.float64)
    mixed = (1.0 - doubt) * true + doubt * log_probs.mean(dtype=np.float64)

    def loss(temperature: float) -> float:
        divided = log_probs / np.float32(temperature)
        most = divided.max(axis=1)
        total = np.log(np.exp(divided - most[:, None]).sum(axis=1)) + most
        return float(total.mean(dtype=np.float64) - mixed / temperature)

    return _lowest(loss)


def fit_temperature_each(log_probs: Array, targets: Array) -> float:
    """Return the same for labels that hold or not: `log_probs` (N, K), `targets` (N, K) of 0 and 1."""
    if not targets.size:
        return 1.0
    doubt = 1.0 / (len(targets) + 2.0)
    odds = np.clip(log_odds(log_probs.astype(np.float64)), -1e6, 1e6)
    wanted = targets * (1.0 - doubt) + (1 - targets) * doubt

    def loss(temperature: float) -> float:
        divided = odds / temperature
        return float((np.logaddexp(0.0, divided) - wanted * divided).mean())

    return _lowest(loss)


def _lowest(loss: Callable[[float], float]) -> float:
    """Return the temperature of the lowest loss, looked for on a logarithmic scale."""
    from scipy.optimize import minimize_scalar

    bounds = np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)
    found = minimize_scalar(lambda power: loss(float(np.exp(power))), bounds=bounds, method="bounded")
    return float(np.clip(np.exp(found.x), MIN_TEMPERATURE, MAX_TEMPERATURE))


def fit_confidence(scores: Array, right: Array) -> Confidence | None:
    """Return how likely sequences of log-probabilities `scores` (N,) are right, learnt from which were.

    The truth is taken for certain only as far as N sequences can show. None where they are too few, or none
    of them was right, as where much would be: nothing is learnt of which ones are better.
    """
    from scipy.optimize import minimize

    hits = int(right.sum())
    if len(right) < MIN_SEQUENCES or not hits:
        return None
    odds = _bounded_log_odds(scores)
    wanted = np.where(right, (hits + 1) / (hits + 2), 1 / (len(right) - hits + 2))  # (N,), Platt 1999

    def loss(weights: Array) -> tuple[float, Array]:
        z = weights[0] * odds + weights[1]
        error = 1.0 / (1.0 + np.exp(-np.clip(z, -500, 500))) - wanted
        value = float((np.logaddexp(0.0, z) - wanted * z).mean())
        return value, np.array([(error * odds).mean(), error.mean()])

    bounds = [(MIN_SLOPE, MAX_SLOPE), (-MAX_OFFSET, MAX_OFFSET)]
    found = minimize(loss, np.array([1.0, 0.0]), jac=True, bounds=bounds, method="L-BFGS-B")
    return Confidence(slope=float(found.x[0]), offset=float(found.x[1]))


def confidence_of(scores: Array, fitted: Confidence | None) -> Array:
    """Return how likely sequences of log-probabilities `scores` are right, 0 to 1; without a fit, `exp`."""
    if fitted is None:
        return np.exp(np.minimum(np.asarray(scores, dtype=np.float64), 0.0))
    z = fitted.slope * _bounded_log_odds(scores) + fitted.offset
    likely: Array = np.exp(-np.logaddexp(0.0, -z))
    return likely


def confidences_of(nbest: Sequence[tuple[str, float]], fitted: Confidence) -> list[float]:
    """Return how likely each text of the answers to one row, with its log-probability, is right, 0 to 1.

    `fitted` is of first answers. One text at most is right, so the others share what that leaves, the
    likelier first; a text that was found twice has the same confidence both times.
    """
    likely = confidence_of(np.array([score for _, score in nbest]), fitted).tolist()
    first, *others = zip((text for text, _ in nbest), likely, strict=True)
    known = dict([first])
    for text, confidence in sorted(others, key=lambda each: -each[1]):
        known.setdefault(text, min(confidence, max(0.0, 1.0 - sum(known.values()))))
    return [known[text] for text, _ in nbest]


def _bounded_log_odds(scores: Array) -> Array:
    """Return log-odds without an infinity: a sequence may have probability 1 in single precision."""
    return log_odds(np.minimum(np.asarray(scores, dtype=np.float64), -TINY))


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Answers of about the same confidence: their mean confidence, and the share of them that were right."""

    lowest: float
    highest: float
    count: int
    confidence: float
    accuracy: float


def reliability(confidence: Array, right: Array, bins: int = BINS) -> list[ReliabilityBin]:
    """Return the bins of equal width of a reliability diagram, without empty ones.

    `confidence` (N,) is from 0 to 1, `right` (N,) is true where the answer was.
    """
    number = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    counts = np.bincount(number, minlength=bins)
    sums = np.bincount(number, weights=confidence, minlength=bins)
    hits = np.bincount(number, weights=right, minlength=bins)
    return [
        ReliabilityBin(n / bins, (n + 1) / bins, int(counts[n]), sums[n] / counts[n], hits[n] / counts[n])
        for n in np.flatnonzero(counts).tolist()
    ]


def calibration_error(confidence: Array, right: Array, bins: int = BINS) -> float | None:
    """Return the expected calibration error: how far confidence is from accuracy in a bin, on average.

    None where there are no answers.
    """
    if not len(confidence):
        return None
    found = reliability(confidence, right, bins)
    return sum(bin_.count * abs(bin_.confidence - bin_.accuracy) for bin_ in found) / len(confidence)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The share of answers with a confidence of `min_probability` or more, and how many of them are right.

    `accuracy` is None where there are none.
    """

    min_probability: float
    coverage: float
    accuracy: float | None


def coverage_at(confidence: Array, right: Array, lowest: float) -> Coverage:
    """Return the coverage, and the accuracy of what is covered, at one lowest probability."""
    given = confidence >= lowest
    accuracy = float(right[given].mean()) if given.any() else None
    return Coverage(lowest, float(given.mean()) if len(given) else 0.0, accuracy)


def coverage_curve(confidence: Array, right: Array, steps: int = CURVE_STEPS) -> list[Coverage]:
    """Return coverage and accuracy at lowest probabilities from 0 to 1, evenly spaced."""
    return [coverage_at(confidence, right, float(lowest)) for lowest in np.linspace(0.0, 1.0, steps)]


class JudgedAnswers:
    """Gathers how sure a model was of its answers, before and after calibration, and which were right."""

    def __init__(self, is_calibrated: bool = False) -> None:
        """Begin with nothing; where nothing is calibrated, both confidences are the same."""
        self.is_calibrated = is_calibrated
        self._parts: list[tuple[Array, Array, Array]] = []

    def add(self, before: Array, after: Array, right: Array) -> None:
        """Take confidences (N,), as the network says them and as they are answered, and which were right."""
        self._parts.append((before, after, right))

    @property
    def before(self) -> Array:
        """Confidences of the network, (N,)."""
        return self._joined(0)

    @property
    def confidence(self) -> Array:
        """Confidences as they are answered, (N,)."""
        return self._joined(1)

    @property
    def right(self) -> Array:
        """Which answers were right, (N,) of bool."""
        return self._joined(2).astype(bool)

    def _joined(self, side: int) -> Array:
        empty = np.empty(0)
        return np.concatenate([part[side] for part in self._parts]) if self._parts else empty


class ThinnedSample:
    """Keeps rows of `log_probs` (N, K) with their targets, evenly spread, of `most` numbers about."""

    def __init__(self, most: int = MAX_SAMPLE) -> None:
        self._most = most
        self._every = 1
        self._seen = 0
        self._size = 0  # numbers that are kept
        self._parts: list[tuple[Array, Array]] = []

    def add(self, log_probs: Array, targets: Array) -> None:
        """Take some rows and their targets, of which every n-th one is kept."""
        kept = np.arange(-self._seen % self._every, len(targets), self._every)
        self._seen += len(targets)
        if not len(kept):
            return
        self._parts.append((log_probs[kept], targets[kept]))
        self._size += self._parts[-1][0].size
        while self._size > 2 * self._most and self._every < self._seen:
            self._thin()

    def _thin(self) -> None:
        log_probs, targets = self.rows()
        self._every *= 2
        self._parts = [(log_probs[::2].copy(), targets[::2].copy())]  # a view would keep all
        self._size = self._parts[0][0].size

    def rows(self) -> tuple[Array, Array]:
        """Return what was kept."""
        if not self._parts:
            return np.empty((0, 1), dtype=np.float32), np.empty(0, dtype=np.int64)
        log_probs, targets = (np.concatenate(side) for side in zip(*self._parts, strict=True))
        return log_probs, targets
