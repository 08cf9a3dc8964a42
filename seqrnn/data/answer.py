"""What a model says of one row, and how that is named and written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

AnswerKind = Literal["label", "labels", "tags", "notes", "number", "text"]
"""One label, several, one a token; the keys of a step; a number; a text that was written."""


class Answer(NamedTuple):
    """What a model says of one row; scores are natural-log probabilities."""

    prediction: Any  # a label, a text or a list of labels: what JSON can hold
    score: float | None
    nbest: Sequence[tuple[Any, float]] = ()  # the likeliest first
    truncated: bool = False  # the row was cut to max_tokens
    unknown: int = 0  # tokens of the row that the model does not know
    parts: Sequence[float] = ()  # score of each item of the prediction, where each is judged by itself
    classes: Sequence[float] = ()  # score of each class, in their order, where all are wanted

    @property
    def is_finite(self) -> bool:
        """Whether none of its numbers is nan or infinite, as they are where a network has diverged."""
        number = self.prediction if isinstance(self.prediction, float) else 0.0
        scores = (score for _, score in self.nbest)
        return all(map(math.isfinite, (number, self.score or 0.0, *self.parts, *self.classes, *scores)))


@dataclass(frozen=True)
class AnswerStyle:
    """How answers go into a file: what they are, under which names, and what beside the prediction.

    `separator` is what joins the items of a prediction in one cell. With `probs`, the probability of each
    of the `classes` is written, or, without classes, of each token's tag. `prefix` begins each name.
    """

    kind: AnswerKind = "label"
    separator: str = " "
    prefix: str = ""
    probs: bool = False
    classes: Sequence[str] = ()

    @property
    def has_probabilities(self) -> bool:
        """Whether anything is written beside the prediction and its own probability."""
        return self.probs and (bool(self.classes) or self.kind == "tags")

    def cell(self, value: Any) -> str:
        """Return a value as it is written in one cell: numbers in full, nothing for None."""
        if isinstance(value, float):
            return in_full(value)
        if isinstance(value, list | tuple):
            return self.separator.join(map(self.cell, value))
        return "" if value is None else str(value)


def in_full(number: float) -> str:
    """Write a number with the fewest digits from which it comes back as it is."""
    return repr(float(number)).removesuffix(".0")


def probability(score: float | None) -> float | None:
    """Return the probability, from 0 to 1, of a natural-log score."""
    return None if score is None else math.exp(min(score, 0.0))
