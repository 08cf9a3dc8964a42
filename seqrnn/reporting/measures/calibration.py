"""Whether probabilities can be believed, and what the surest answers are worth, as `evaluate` has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

THRESHOLDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
SURE = 0.9  # the probability from which the sentence on coverage speaks of sure answers
CLOSE = 0.02  # a calibration error that is not worth a word


@dataclass(frozen=True)
class Bin:
    """Decisions of about the same probability: how many, its mean, and the share that is right."""

    lowest: float
    highest: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Reliability:
    """How probabilities compare with the share of right decisions.

    `error` is the expected calibration error, `uncalibrated` what it would be without calibration, if known.
    """

    decisions: int
    confidence: float
    accuracy: float
    error: float
    uncalibrated: float | None
    bins: Sequence[Bin]
    verdict: str


@dataclass(frozen=True)
class Covered:
    """The share of answers with at least this probability, and how many of these are right."""

    min_probability: float
    coverage: float
    accuracy: float | None


@dataclass(frozen=True)
class Coverage:
    """Accuracy of the surest share of the answers: a `curve`, and a table of some lowest probabilities."""

    curve: Sequence[Covered]
    table: Sequence[Covered]
    verdict: str


def reliability_of(figures: Mapping[str, Any], details: Mapping[str, Any]) -> Reliability | None:
    """Return what an evaluation says of probabilities; None where no answer has any."""
    bins = [Bin(**row) for row in details.get("reliability", ())]
    error = figures.get("expected_calibration_error")
    if not bins or error is None:
        return None
    decisions = sum(each.count for each in bins)
    confidence = sum(each.count * each.confidence for each in bins) / decisions
    accuracy = sum(each.count * each.accuracy for each in bins) / decisions
    before = figures.get("expected_calibration_error_uncalibrated")
    verdict = _believed(confidence - accuracy, error)
    return Reliability(decisions, confidence, accuracy, error, before, bins, verdict)


def coverage_of(details: Mapping[str, Any]) -> Coverage | None:
    """Return how accurate the surest answers of an evaluation are; None where no answer has a probability."""
    curve = [Covered(**row) for row in details.get("coverage", ())]
    if not curve:
        return None
    table = [min(curve, key=lambda each: abs(each.min_probability - lowest)) for lowest in THRESHOLDS]
    sure = min(curve, key=lambda each: abs(each.min_probability - SURE))
    return Coverage(curve, table, _told(curve[0], sure))


def _believed(over: float, error: float) -> str:
    measured = f"an expected calibration error of {error:.1%}"
    if error < CLOSE:
        return f"Its probabilities can be believed: {measured}."
    if abs(over) < error / 3:
        return f"Its probabilities are off, here too high and there too low: {measured}."
    return f"It is surer than it is right: {measured}." if over > 0 else f"It is too unsure: {measured}."


def _told(everything: Covered, sure: Covered) -> str:
    total = f"Of all answers {everything.accuracy or 0.0:.1%} are right"
    if sure.accuracy is None:
        return f"{total}; none has a probability of {sure.min_probability:.0%} or more."
    return (
        f"{total}; of the {sure.coverage:.0%} with a probability of {sure.min_probability:.0%} or more, "
        f"{sure.accuracy:.1%}."
    )
