"""One way to ask for sequences, whether they are searched for or drawn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from seqrnn.data.tokenizer import BLANK, EOS
from seqrnn.errors import UsageError
from seqrnn.search.beam import Beam, Hypothesis, beam_search
from seqrnn.search.generation import Limits, generate
from seqrnn.search.sampling import Sampling
from seqrnn.search.step import Prediction, Stepper


@dataclass(frozen=True, slots=True)
class Decoding:
    """How the `n_best` sequences of each row are found: the best of a beam, or draws.

    Raises UsageError where a beam is too narrow for that many, or where they would all be the same.
    """

    limits: Limits = field(default_factory=Limits)
    strategy: Beam | Sampling = field(default_factory=Beam)
    n_best: int = 1

    def __post_init__(self) -> None:
        if self.n_best < 1:
            raise UsageError(f"--n-best {self.n_best}: out of range; give 1 or more")
        if isinstance(self.strategy, Beam) and self.n_best > self.strategy.size:
            raise UsageError(
                f"--n-best {self.n_best}: more than --beam-size {self.strategy.size} holds; widen the beam"
            )
        if isinstance(self.strategy, Sampling) and self.n_best > 1 and self.strategy.temperature == 0:
            raise UsageError(f"--n-best {self.n_best}: greedy search finds one; use --beam-size or --sample")


def decode(model: Stepper, start: Prediction, decoding: Decoding) -> list[list[Hypothesis]]:
    """Write sequences from what the model predicts first, `start` (R, V): `n_best` for each of the R.

    The best stand first. Raises NumericError where the model gives nan.
    """
    if isinstance(decoding.strategy, Beam):
        found = beam_search(model, start, decoding.limits, decoding.strategy)
        return [hypotheses[: decoding.n_best] for hypotheses in found]
    return _draw(model, start, decoding.limits, (decoding.strategy, decoding.n_best))


def seeded(decoding: Decoding, number: int) -> Decoding:
    """Return the decoding of the batch of that `number`: each batch has draws of its own."""
    if isinstance(decoding.strategy, Beam):
        return decoding
    strategy = replace(decoding.strategy, seed=decoding.strategy.seed + number)
    return replace(decoding, strategy=strategy)


def _draw(
    model: Stepper, start: Prediction, limits: Limits, draws: tuple[Sampling, int]
) -> list[list[Hypothesis]]:
    """Continue each sequence as many times as there are to be draws of it."""
    sampling, count = draws
    logits, states = start
    rows = np.repeat(np.arange(len(logits))[:, None], count, axis=1)  # (R, count)
    begun = logits[rows.ravel()], model.select(states, rows)
    steps, scores = [], np.zeros(rows.size)  # (R * count,)
    for chosen in generate(model.step, begun, limits, sampling):
        steps.append(chosen.tokens)
        scores += chosen.log_probs
    tokens = np.stack(steps, axis=1)  # (R * count, T)
    drawn = [
        Hypothesis(row[(row != EOS) & (row != BLANK)], float(score), EOS in row)
        for row, score in zip(tokens, scores, strict=True)
    ]
    return [
        sorted(drawn[first : first + count], key=lambda hypothesis: -hypothesis.score)
        for first in range(0, len(drawn), count)
    ]
