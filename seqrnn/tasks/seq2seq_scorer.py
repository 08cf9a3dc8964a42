"""How good written sequences are.

Shapes: B batch, S source, T target.
"""

from __future__ import annotations

from operator import contains
from typing import TYPE_CHECKING

import numpy as np

from seqrnn.data.dataset.batching import (
    Batch,
)
from seqrnn.data.dataset.references import texts_of
from seqrnn.data.text.tokenizer import BLANK, UNK
from seqrnn.metrics.calibration import JudgedAnswers, confidence_of, fit_confidence
from seqrnn.metrics.evaluation import Evaluation
from seqrnn.metrics.sequences import sequence_scores, translation_scores
from seqrnn.run.calibration import UNCALIBRATED, Calibration
from seqrnn.tasks.scorer import Scorer, Values

if TYPE_CHECKING:
    from seqrnn.tasks.seq2seq import Seq2Seq


class WritingScorer(Scorer):
    """Gathers what was written for the examples of a data set, and what would have been right."""

    def __init__(self, task: Seq2Seq) -> None:
        self._tokenizer = task.target.tokenizer
        self._bleu_tokenizer = task.config.training.bleu_tokenizer
        self._reads_labels = task.config.data.source_kind == "label"
        self._unknown = {"unknown_labels": 0} if self._reads_labels else {}
        self._unknown["unknown_tokens"] = 0
        self._generated: list[str] = []
        self._references: list[list[str]] = []
        self._confidence = task.calibration.confidence
        self._judged = JudgedAnswers(task.calibration != UNCALIBRATED)
        self._scores: list[np.ndarray] = []

    def add(self, batch: Batch, values: Values) -> None:
        """Take the tokens `generated` (B, T) for one batch, padded with <blank>, and their scores (B,)."""
        written = [self._tokenizer.decode(row[row != BLANK]) for row in values["generated"]]
        references = [texts_of(row) for row in batch.arrays["references"]]
        self._judge(values["generated_scores"], np.array([*map(contains, references, written)]))
        self._generated += written
        self._references += references
        self._unknown["unknown_tokens"] += int((batch.arrays["targets"] == UNK).sum())
        if self._reads_labels:
            self._unknown["unknown_labels"] += int((batch.arrays["source"] == UNK).sum())

    def result(self, loss: float) -> Evaluation:  # noqa: ARG002
        """Return `exact_match`, `wer`, `token_error_rate`, `bleu` and `chrf`.

        Besides, how many target tokens, and labels of the source, training did not have.
        """
        scores = sequence_scores(self._generated, self._references, self._tokenizer.split)
        translation = translation_scores(self._generated, self._references, self._bleu_tokenizer)
        return Evaluation(
            {**scores, **translation.figures, **self._unknown},
            signatures=translation.signatures,
            notes=(translation.told,) if translation.told else (),
        )

    def _judge(self, scores: np.ndarray, right: np.ndarray) -> None:
        """Take note of how sure the model was of what it wrote, and whether it was a reference."""
        self._scores.append(scores)
        self._judged.add(confidence_of(scores, None), confidence_of(scores, self._confidence), right)

    def fit_calibration(self) -> Calibration:
        """Fit how likely a sequence is one that is wanted."""
        scores = np.concatenate(self._scores) if self._scores else np.empty(0)
        return Calibration(confidence=fit_confidence(scores, self._judged.right))

    @property
    def judged(self) -> JudgedAnswers:
        """The sequences, which are right where they are a reference, letter for letter."""
        return self._judged
