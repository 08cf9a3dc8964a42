"""What says how good a model's answers to a data set are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from seqrnn.data.dataset.batching import Batch
from seqrnn.metrics.calibration import (
    Coverage,
    JudgedAnswers,
    ReliabilityBin,
    calibration_error,
    coverage_at,
    coverage_curve,
    reliability,
)
from seqrnn.metrics.evaluation import Evaluation, Figure
from seqrnn.run.calibration import Calibration

Values = Mapping[str, np.ndarray]
"""What a model computed for a batch, by name."""


class Scorer(ABC):
    """Gathers a model's answers over a data set and says how good they are."""

    @abstractmethod
    def add(self, batch: Batch, values: Values) -> None:
        """Take the answers to one batch."""

    @abstractmethod
    def result(self, loss: float) -> Evaluation:
        """Return the figures by their public names, with tables and notes; `loss` is in nats a target."""

    def fit_calibration(self) -> Calibration | None:
        """Fit what makes probabilities like these trustworthy; None where no answer has a probability."""
        return None

    @property
    def judged(self) -> JudgedAnswers | None:
        """How sure the model was of each choice (a label, a tag, a sequence), and whether it was right."""
        return None

    @property
    def judged_rows(self) -> JudgedAnswers | None:
        """The same of whole answers, where each has a probability that it is right."""
        return self.judged

    def reliability(self) -> tuple[ReliabilityBin, ...]:
        """Return the bins of a reliability diagram, where choices are judged."""
        judged = self.judged
        return () if judged is None else tuple(reliability(judged.confidence, judged.right))

    def coverage(self) -> tuple[Coverage, ...]:
        """Return a curve of accuracy over coverage, where whole answers are judged."""
        rows = self.judged_rows
        return () if rows is None else tuple(coverage_curve(rows.confidence, rows.right))

    def trust(self, min_probability: float | None = None) -> dict[str, Figure]:
        """Return by their public names how far probabilities can be trusted."""
        figures: dict[str, Figure] = {}
        if (judged := self.judged) is not None:
            figures["expected_calibration_error"] = calibration_error(judged.confidence, judged.right)
            if judged.is_calibrated:
                before = calibration_error(judged.before, judged.right)
                figures["expected_calibration_error_uncalibrated"] = before
        if min_probability is not None and (rows := self.judged_rows) is not None:
            covered = coverage_at(rows.confidence, rows.right, min_probability)
            figures |= {"coverage": covered.coverage, "covered_accuracy": covered.accuracy}
        return figures
