"""How good tags are.

Shapes: B batch, T time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seqrnn.data.dataset.batching import Batch
from seqrnn.metrics.calibration import (
    JudgedAnswers,
    ThinnedSample,
    confidence_of,
    fit_confidence,
    fit_temperature,
)
from seqrnn.metrics.classification import class_table, confusions
from seqrnn.metrics.evaluation import Evaluation
from seqrnn.metrics.spans import SpanCounts
from seqrnn.run.calibration import UNCALIBRATED, Calibration
from seqrnn.tasks.scorer import Scorer, Values

if TYPE_CHECKING:
    from seqrnn.tasks.tagging import Tagging


class TaggingScorer(Scorer):
    """Gathers the chosen tags of a data set."""

    def __init__(self, task: Tagging) -> None:
        self._known, self._names = len(task.tags.known), task.tags.names
        self._spans = None if task.scheme is None else SpanCounts()
        self._chosen: list[np.ndarray] = []
        self._targets: list[np.ndarray] = []
        self._calibrated, self._confidence = task.calibrated, task.calibration.confidence
        self._judged, self._judged_rows = (JudgedAnswers(task.calibration != UNCALIBRATED) for _ in range(2))
        self._sample = ThinnedSample()
        self._scores: list[np.ndarray] = []

    def add(self, batch: Batch, values: Values) -> None:
        """Take the answers to one batch."""
        actual, chosen, lengths = batch.arrays["tags"], values["tags"], batch.arrays["lengths"]
        mask = np.arange(actual.shape[1]) < lengths[:, None]
        self._targets.append(actual[mask])
        self._chosen.append(chosen[mask])
        self._judge(values, actual, mask)
        if self._spans is not None:
            for row, length in enumerate(lengths):
                self._spans.add(self._named(actual[row, :length]), self._named(chosen[row, :length]))

    def _judge(self, values: Values, actual: np.ndarray, mask: np.ndarray) -> None:
        """Take note of how sure the model was of each tag and of each sentence; blank ones say nothing."""
        right, known = values["tags"] == actual, mask & (actual < self._known)
        self._sample.add(values["log_probs"][known], actual[known])
        before, after = (
            np.exp(scores[mask]) for scores in (values["tag_log_probs"], self._calibrated(values))
        )
        self._judged.add(before, after, right[mask])
        has_tokens = mask.any(axis=1)
        scores = values["log_prob"][has_tokens]
        self._scores.append(scores)
        sure = confidence_of(scores, None), confidence_of(scores, self._confidence)
        self._judged_rows.add(*sure, (right | ~mask).all(axis=1)[has_tokens])

    def fit_calibration(self) -> Calibration:
        """Fit a temperature to the tags, and a confidence to the sentences whose tags are all right."""
        rows = self._judged_rows
        scores = np.concatenate(self._scores) if self._scores else np.empty(0)
        return Calibration(
            temperature=fit_temperature(*self._sample.rows()), confidence=fit_confidence(scores, rows.right)
        )

    @property
    def judged(self) -> JudgedAnswers:
        """The chosen tags."""
        return self._judged

    @property
    def judged_rows(self) -> JudgedAnswers:
        """The sentences, which are right where all their tags are."""
        return self._judged_rows

    def _named(self, tags: np.ndarray) -> list[str]:
        return [self._names[tag] for tag in tags]

    def result(self, loss: float) -> Evaluation:  # noqa: ARG002
        """Return `accuracy` over tokens, `span_f1` where tags mark spans, and the number of unknown tags.

        The classes are the types of spans, or else the tags.
        """
        actual, chosen = np.concatenate(self._targets), np.concatenate(self._chosen)
        figures = {"accuracy": float((actual == chosen).mean())}
        unknown = {"unknown_labels": int((actual >= self._known).sum())}
        if self._spans is not None:
            spans = {"span_f1": self._spans.f1()}
            return Evaluation({**figures, **spans, **unknown}, tuple(self._spans.table()))
        table = class_table(actual, chosen, self._names)
        pairs = confusions(actual, chosen, self._names)
        return Evaluation({**figures, **unknown}, tuple(table), tuple(pairs))
