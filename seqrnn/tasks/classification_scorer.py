"""How good labels are.

Shapes: B batch, T time, K classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seqrnn.data.dataset.batching import Batch
from seqrnn.metrics.calibration import (
    JudgedAnswers,
    ThinnedSample,
    fit_temperature,
    fit_temperature_each,
    surest_with_temperature,
)
from seqrnn.metrics.classification import (
    Labels,
    class_table,
    classification_scores,
    confusions,
    with_unknown_labels,
)
from seqrnn.metrics.evaluation import Evaluation
from seqrnn.run.calibration import UNCALIBRATED, Calibration
from seqrnn.tasks.scorer import Scorer, Values

if TYPE_CHECKING:
    from seqrnn.tasks.classification import Classification


class ClassificationScorer(Scorer):
    """Gathers the chosen labels of a data set."""

    def __init__(self, task: Classification) -> None:
        self._known, self._names = len(task.labels.known), task.labels.names
        self._several = task.config.data.multi_label
        self._calibrated, self._temperature = task.calibrated, task.calibration.temperature
        self._judged = JudgedAnswers(task.calibration != UNCALIBRATED)
        self._sample = ThinnedSample()
        self._chosen: list[np.ndarray] = []
        self._targets: list[np.ndarray] = []
        self._unknown: list[np.ndarray] = []  # of several labels: examples and numbers, (2, N)
        self._examples = 0

    def add(self, batch: Batch, values: Values) -> None:
        """Take the answers to one batch."""
        log_probs = values["log_probs"]
        if self._several:
            self._chosen.append((log_probs >= np.log(0.5)).astype(np.int64))
        else:
            self._chosen.append(log_probs.argmax(axis=1))
        self._targets.append(batch.arrays["labels"])
        if (unknown := batch.arrays.get("unknown_labels")) is not None:
            examples, columns = np.nonzero(unknown >= 0)
            self._unknown.append(np.stack((self._examples + examples, unknown[examples, columns])))
        self._examples += len(log_probs)
        self._judge(log_probs, batch.arrays["labels"])

    def _judge(self, log_probs: np.ndarray, targets: np.ndarray) -> None:
        """Take note of how sure the model was, `log_probs` (B, K); of several labels, of a sample."""
        if self._several:
            self._sample.add(log_probs, targets)
            return
        known = targets < self._known
        self._sample.add(log_probs[known], targets[known])
        before, after = (surest_with_temperature(log_probs, each) for each in (1.0, self._temperature))
        self._judged.add(before, after, self._chosen[-1] == targets)

    def fit_calibration(self) -> Calibration:
        """Fit a temperature to the labels that training had."""
        fit = fit_temperature_each if self._several else fit_temperature
        return Calibration(temperature=fit(*self._sample.rows()))

    @property
    def judged(self) -> JudgedAnswers:
        """The chosen label of each example or, of several, whether each one holds."""
        if not self._several:
            return self._judged
        log_probs, targets = self._sample.rows()
        judged = JudgedAnswers(self._judged.is_calibrated)
        before, after = (np.exp(scores).ravel() for scores in (log_probs, self._calibrated(log_probs)))
        right = (before >= 0.5) == (targets.ravel() > 0)
        judged.add(np.maximum(before, 1 - before), np.maximum(after, 1 - after), right)
        return judged

    @property
    def judged_rows(self) -> JudgedAnswers | None:
        """The chosen label of each example; several labels have no probability together."""
        return None if self._several else self._judged

    def result(self, loss: float) -> Evaluation:  # noqa: ARG002
        """Return `accuracy`, `macro_f1`, `micro_f1` and the number of labels that training did not have."""
        actual, chosen = self._gathered()
        if self._several:
            unknown = sum(pairs.shape[1] for pairs in self._unknown)
        else:
            unknown = int((actual >= self._known).sum())
        return Evaluation(
            {**classification_scores(actual, chosen), "unknown_labels": unknown},
            tuple(class_table(actual, chosen, self._names)),
            () if self._several else tuple(confusions(actual, chosen, self._names)),
        )

    def _gathered(self) -> tuple[Labels, Labels]:
        actual, chosen = np.concatenate(self._targets), np.concatenate(self._chosen)
        if not self._several or len(self._names) == self._known:
            return actual, chosen
        unknown = np.concatenate([np.empty((2, 0), dtype=np.int64), *self._unknown], axis=1)
        return with_unknown_labels(actual, chosen, unknown, len(self._names))
