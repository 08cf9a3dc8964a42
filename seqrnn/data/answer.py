"""What a model says of one row, and how that is named and written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple

from msgspec import Struct

AnswerKind = Literal["label", "labels", "tags", "notes", "number", "text"]
"""One label, several, one a token; the keys of a step; a number; a text that was written."""


class Answer(NamedTuple):
    """What a model says of one row.

    Scores are natural logarithms of the probabilities that the network gives. Confidences are probabilities
    from 0 to 1 that held-out data have shown to be right; where there are none, the scores speak.
    """

    prediction: Any  # a label, a text or a list of labels: what JSON can hold
    score: float | None
    nbest: Sequence[tuple[Any, float]] = ()  # the likeliest first
    truncated: bool = False  # the row was cut to max_tokens
    unknown: int = 0  # tokens of the row that the model does not know
    parts: Sequence[float] = ()  # log of the confidence of each item, where each is judged by itself
    classes: Sequence[float] = ()  # log of the confidence of each class, in order, where all are wanted
    confidences: Sequence[float] = ()  # of each of `nbest`
    explanation: Any = None  # why, where that was asked for
    abstained: bool = False  # there is no prediction, because its probability is too low
    part_classes: Sequence[Sequence[float]] = ()  # for each item, the log of the confidence of each class

    @property
    def probability(self) -> float | None:
        """How likely the prediction is right, from 0 to 1, where that is known."""
        return self.confidences[0] if self.confidences else probability(self.score)

    @property
    def ranked(self) -> list[tuple[Any, float | None]]:
        """The likeliest predictions, each with its probability from 0 to 1."""
        likely: Sequence[float | None] = self.confidences or [probability(score) for _, score in self.nbest]
        return [(found, sure) for (found, _), sure in zip(self.nbest, likely, strict=True)]

    def if_likely(self, lowest: float) -> Answer:
        """Return the answer, without its prediction where that is less likely than `lowest`."""
        likely = self.probability
        if likely is None or likely >= lowest:
            return self
        return self._replace(prediction=None, abstained=True)

    @property
    def is_finite(self) -> bool:
        """Whether none of its numbers is nan or infinite, as they are where a network has diverged."""
        number = self.prediction if isinstance(self.prediction, float) else 0.0
        scores = (score for _, score in self.nbest)
        every = chain.from_iterable(self.part_classes)
        return all(
            map(
                math.isfinite,
                (number, self.score or 0.0, *self.parts, *self.classes, *self.confidences, *scores, *every),
            )
        )


class AnswerStyle(Struct, frozen=True):
    """How answers go into a file: what they are, under which names, and what beside the prediction.

    `separator` is what joins the items of a prediction in one cell. With `probs`, the probability of each
    of the `classes` is written, or, without classes, of each token's tag. With `abstains`, objects say which
    answers have no prediction because it is not likely enough; with `explains`, they tell why. `prefix`
    begins each name.
    """

    kind: AnswerKind = "label"
    separator: str = " "
    prefix: str = ""
    probs: bool = False
    classes: Sequence[str] = ()
    abstains: bool = False
    explains: bool = False

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
