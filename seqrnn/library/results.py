"""What the library returns: frozen dataclasses, equal where their values are, and safe to pickle.

Their names and values are those of the JSON that the command line writes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from seqrnn.data.answer import Answer, probability

Prediction: TypeAlias = str | float | tuple[str, ...] | tuple[int, ...] | None
"""A label or a text; a number (regression); labels (multi-label), a tag a token, or keys (polyphony)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the likeliest predictions for a row, with its natural-log probability."""

    prediction: Prediction
    score: float
    confidence: float | None = None
    """How likely a sequence is right, all in all, where validation data have shown that."""

    @property
    def probability(self) -> float:
        """How likely it is right, 0 to 1: the confidence, or else what the score says."""
        return math.exp(min(self.score, 0.0)) if self.confidence is None else self.confidence


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """The answer to one row.

    `score` is the natural-log probability of the prediction, None where it has none (regression).
    `nbest` holds the likeliest predictions, the best first. `truncated` says that the row was cut to the
    model's `max_tokens`, or what was written for it to `max_len`; `unknown` counts tokens that training did
    not have. Of a row that could not be answered, `error` says why, and the prediction is None; it also is
    where the model `abstained`, since the probability is below the lowest one that was asked for.
    """

    prediction: Prediction = None
    score: float | None = None
    nbest: tuple[Candidate, ...] = ()
    truncated: bool = False
    unknown: int = 0
    token_scores: tuple[float, ...] = ()
    """Natural-log probability of each tag by itself (tagging)."""
    error: str | None = None
    confidence: float | None = None
    """How likely a sequence is right, all in all, where validation data have shown that."""
    abstained: bool = False
    class_scores: tuple[float, ...] | tuple[tuple[float, ...], ...] = ()
    """Natural-log probability of each of `Model.labels`, or of each tag for each token, where wanted."""

    @property
    def probability(self) -> float | None:
        """How likely the prediction is right, 0 to 1: the confidence, or else what the score says."""
        return probability(self.score) if self.confidence is None else self.confidence

    @classmethod
    def of(cls, answer: Answer) -> RowAnswer:
        """Return what a task has answered."""
        sure: Sequence[float | None] = answer.confidences or [None] * len(answer.nbest)
        nbest = tuple(
            Candidate(frozen(found), score, likely)
            for (found, score), likely in zip(answer.nbest, sure, strict=True)
        )
        told = answer.truncated, answer.unknown, tuple(answer.parts), None, sure[0] if sure else None
        of_parts = tuple(tuple(scores) for scores in answer.part_classes)
        every: tuple[Any, ...] = of_parts or tuple(answer.classes)
        abstained = answer.abstained
        return cls(frozen(answer.prediction), answer.score, nbest, *told, abstained, every)


@dataclass(frozen=True, slots=True)
class LineScore:
    """How surprising a line is to a language model.

    `surprisal` is the mean over its tokens, its end included, in nats; `score` the natural-log probability of
    the whole line. Both are None where `error` says why there is no score.
    """

    surprisal: float | None = None
    score: float | None = None
    truncated: bool = False
    unknown: int = 0
    error: str | None = None

    @classmethod
    def of(cls, answer: Answer) -> LineScore:
        """Return what a scorer of lines has answered."""
        return cls(answer.prediction, answer.score, answer.truncated, answer.unknown)


def frozen(prediction: Any) -> Prediction:
    """Return a prediction in which nothing can be changed."""
    if isinstance(prediction, Sequence) and not isinstance(prediction, str):
        return tuple(prediction)
    found: Prediction = prediction
    return found
