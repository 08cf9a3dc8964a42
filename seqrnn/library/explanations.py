"""Why a model answers a row as it does: frozen dataclasses, as in `library/results.py`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from seqrnn.data.answer import Answer
from seqrnn.library.results import Prediction, frozen


@dataclass(frozen=True, slots=True)
class OutputExplanation:
    """One thing that a model says of a row: a label, a tag, a token, a key or a number.

    `saliency` says how much each token of the row speaks for it (negative: against it), in nats of its
    log-probability, or in deviations of a number. `attention` (0 to 1) says how much of each was looked at,
    None where the network does not attend. `alternatives` are what else might be said, with probabilities.
    """

    output: Any
    probability: float | None
    saliency: tuple[float, ...]
    attention: tuple[float, ...] | None
    alternatives: tuple[tuple[Any, float], ...]

    @property
    def ranked(self) -> list[int]:
        """Numbers of the tokens from 0, the one that matters most first."""
        return sorted(range(len(self.saliency)), key=lambda number: -abs(self.saliency[number]))

    @property
    def as_json(self) -> dict[str, Any]:
        """What `seqrnn explain` writes of it as JSON."""
        attention = {} if self.attention is None else {"attention": self.attention}
        return {
            "output": self.output,
            "probability": self.probability,
            "saliency": self.saliency,
            **attention,
            "alternatives": [{"output": found, "probability": sure} for found, sure in self.alternatives],
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a model answers a row as it does.

    `tokens` are what it read: tokens as the row has them, or steps or features by their number; the
    vocabulary does not have those whose numbers, from 0, are in `unknown_tokens`. `method` names how the
    saliency was found, `outputs` are what the `prediction` consists of. `surprisals` of a language model says
    how surprising each token was, in nats. Of an image the tokens are regions, row by row, `grid` of them
    along each side. Of a row that could not be answered, `error` says why.
    """

    tokens: tuple[str, ...] = ()
    method: str = ""
    outputs: tuple[OutputExplanation, ...] = ()
    surprisals: tuple[float, ...] | None = None
    unknown_tokens: tuple[int, ...] = ()
    prediction: Prediction = None
    truncated: bool = False
    error: str | None = None
    grid: int | None = None

    @classmethod
    def of(cls, answer: Answer) -> Explanation:
        """Return why a task has answered as it has."""
        why: Explanation = answer.explanation
        return replace(why, prediction=frozen(answer.prediction), truncated=answer.truncated)

    @property
    def as_json(self) -> dict[str, Any]:
        """What `seqrnn explain` writes of it as JSON, beside the prediction."""
        surprisals = {} if self.surprisals is None else {"surprisals": self.surprisals}
        grid = {} if self.grid is None else {"grid": self.grid}
        return {
            "tokens": self.tokens,
            "unknown_tokens": self.unknown_tokens,
            "method": self.method,
            **grid,
            **surprisals,
            "outputs": [output.as_json for output in self.outputs],
        }
