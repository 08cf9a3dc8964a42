"""Whether probabilities can be believed, and what the surest answers are worth, as `evaluate` has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqrnn.metrics.calibration import Coverage, ReliabilityBin
from seqrnn.metrics.evaluation import Evaluation

THRESHOLDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
SURE = 0.9  # the probability from which the sentence on coverage speaks of sure answers
CLOSE = 0.02  # a calibration error that is not worth a word


@dataclass(frozen=True)
class Reliability:
    """How probabilities compare with the share of right decisions.

    `name` is what a decision is called, in the plural. `error` is the expected calibration error,
    `uncalibrated` what it would be without calibration, if known.
    """

    name: str
    decisions: int
    confidence: float
    accuracy: float
    error: float
    uncalibrated: float | None
    bins: Sequence[ReliabilityBin]
    verdict: str


@dataclass(frozen=True)
class Covered:
    """Accuracy of the surest share of the answers: a `curve`, and a table of some lowest probabilities."""

    answers: str
    curve: Sequence[Coverage]
    table: Sequence[Coverage]
    verdict: str


def reliability_of(evaluation: Evaluation, name: str = "answers") -> Reliability | None:
    """Return what an evaluation says of probabilities; None where no answer has any.

    `name` is what those that have one are called.
    """
    bins, figures = evaluation.reliability, evaluation.figures
    error = figures.get("expected_calibration_error")
    if not bins or not isinstance(error, float):
        return None
    decisions = sum(each.count for each in bins)
    confidence = sum(each.count * each.confidence for each in bins) / decisions
    accuracy = sum(each.count * each.accuracy for each in bins) / decisions
    before = figures.get("expected_calibration_error_uncalibrated")
    before = before if isinstance(before, float) else None
    verdict = _believed(confidence - accuracy, error)
    return Reliability(name, decisions, confidence, accuracy, error, before, bins, verdict)


def coverage_of(evaluation: Evaluation, answers: str = "answers") -> Covered | None:
    """Return how accurate the surest answers of an evaluation are; None where no answer has a probability.

    `answers` is what they are called.
    """
    curve = evaluation.coverage
    if not curve:
        return None
    table = [min(curve, key=lambda each: abs(each.min_probability - lowest)) for lowest in THRESHOLDS]
    sure = min(curve, key=lambda each: abs(each.min_probability - SURE))
    return Covered(answers, curve, table, _told(curve[0], sure, answers))


def _believed(over: float, error: float) -> str:
    measured = f"are off by {100 * error:.1f} percentage points on average (expected calibration error)"
    if error < CLOSE:
        return f"Its probabilities can be trusted: they {measured}."
    if abs(over) < error / 3:
        return f"Its probabilities are too high for some answers and too low for others: they {measured}."
    said = "overconfident" if over > 0 else "underconfident"
    return f"It is {said}: its probabilities {measured}."


def _told(everything: Coverage, sure: Coverage, answers: str) -> str:
    total = f"Of all {answers} {everything.accuracy or 0.0:.1%} are right"
    if sure.accuracy is None:
        return f"{total}; none has a probability of {sure.min_probability:.0%} or more."
    return (
        f"{total}; of the {sure.coverage:.{0 if sure.coverage >= 0.1 else 1}%} with a probability of "
        f"{sure.min_probability:.0%} or more, {sure.accuracy:.1%} are."
    )
