"""What a model says of one row, and where in what it computed that is found: what an explanation is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

Alternatives = Sequence[tuple[Any, float]]
"""What else might be said, the likeliest first, each with its probability from 0 to 1."""

MAX_RUNNERS_UP = 2  # tags or tokens beside the one that is explained, at each step


class ExplainedOutput(NamedTuple):
    """A label, a tag, a token, a key or a number, and the number in a model's values that is its score.

    The score of row b is `values[name][b, *at]`.
    """

    output: Any
    probability: float | None
    name: str
    at: tuple[int, ...]
    alternatives: Alternatives = ()


def likeliest(probabilities: np.ndarray, names: Sequence[Any], most: int, but: int = -1) -> Alternatives:
    """Return the `most` likeliest names by their probabilities (K,), without the one of number `but`."""
    order = np.argsort(-probabilities, kind="stable")[: most + 1].tolist()
    return [(names[number], float(probabilities[number])) for number in order if number != but][:most]


def explained_steps(
    probabilities: np.ndarray, chosen: Sequence[int], names: Sequence[Any]
) -> list[ExplainedOutput]:
    """Return what was chosen at each step, (T,), with the runners-up; `probabilities` are (T, K)."""
    return [
        ExplainedOutput(
            names[number],
            float(likely[number]),
            "log_probs",
            (step, number),
            likeliest(likely, names, MAX_RUNNERS_UP, number),
        )
        for step, (number, likely) in enumerate(zip(chosen, probabilities, strict=False))
    ]


def explained_labels(
    log_probs: np.ndarray, probabilities: np.ndarray, names: Sequence[Any], most: int
) -> Iterator[ExplainedOutput]:
    """Yield the labels that are likelier than not, or else the likeliest one; `log_probs` and others (K,)."""
    likely = np.flatnonzero(probabilities >= 0.5).tolist() or [int(log_probs.argmax())]
    for number in likely:
        others = likeliest(
            np.delete(probabilities, likely), np.delete(np.asarray(names), likely).tolist(), most
        )
        yield ExplainedOutput(names[number], float(probabilities[number]), "log_probs", (number,), others)
