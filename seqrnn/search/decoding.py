"""One way to ask for sequences, whether they are searched for or drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from seqrnn.data.text.tokenizer import BLANK, EOS
from seqrnn.errors import UsageError
from seqrnn.search.beam import Beam, Hypothesis, beam_search
from seqrnn.search.generation import Limits, generate
from seqrnn.search.sampling import Sampling
from seqrnn.search.step import Prediction, States, Stepper, Tokens

COMPACT_AT = (
    0.2  # share of sources that have ended at which to go on without them: to copy the others costs, too
)


class Decoding(Struct, frozen=True):
    """How the `n_best` sequences of each row are found: the best of a beam, or draws.

    Raises UsageError where a beam is too narrow for that many, or where they would all be the same.
    """

    limits: Limits = field(default_factory=Limits)
    strategy: Beam | Sampling = field(default_factory=Beam)
    n_best: int = 1

    def __post_init__(self) -> None:
        if self.n_best < 1:
            raise UsageError(f"`decoding.n_best` {self.n_best}: out of range; give 1 or more")
        if isinstance(self.strategy, Beam) and self.n_best > self.strategy.size:
            raise UsageError(
                f"`decoding.n_best` {self.n_best}: more than `decoding.beam_size` "
                f"{self.strategy.size} holds; widen the beam"
            )
        if isinstance(self.strategy, Sampling) and self.n_best > 1 and self.strategy.temperature == 0:
            raise UsageError(
                f"`decoding.n_best` {self.n_best}: greedy search finds one; use `decoding.beam_size` "
                "or `decoding.sample=true`"
            )


def decode(model: Stepper, start: Prediction, decoding: Decoding) -> list[list[Hypothesis]]:
    """Write sequences from what the model predicts first, `start` (R, V): `n_best` for each of the R.

    The best come first. Raises NumericError where the model gives nan.
    """
    if isinstance(decoding.strategy, Beam):
        found = beam_search(model, start, decoding.limits, decoding.strategy)
        return [hypotheses[: decoding.n_best] for hypotheses in found]
    return _draw(model, start, decoding.limits, (decoding.strategy, decoding.n_best))


def with_row_seeds(decoding: Decoding, numbers: Sequence[int]) -> Decoding:
    """Return the same for rows of these `numbers`, each with draws of its own, whatever batch it is in."""
    if isinstance(decoding.strategy, Beam):
        return decoding
    return replace(decoding, strategy=replace(decoding.strategy, numbers=tuple(numbers)))


def _draw(
    model: Stepper, start: Prediction, limits: Limits, draws: tuple[Sampling, int]
) -> list[list[Hypothesis]]:
    """Continue each sequence as many times as there are to be draws of it."""
    sampling, count = draws
    logits, states = start
    rows = np.repeat(np.arange(len(logits))[:, None], count, axis=1)  # (R, count)
    begun = logits[rows.ravel()], model.select(states, rows)
    steps, scores = [], np.zeros(rows.size)  # (R * count,)
    for chosen in generate(_CompactingStepper(model, rows.shape).step, begun, limits, sampling):
        steps.append(chosen.tokens)
        scores += chosen.log_probs
    tokens = np.stack(steps, axis=1)  # (R * count, T)
    ends = tokens == EOS
    ended = ends.any(axis=1)
    lengths = np.where(ended, ends.argmax(axis=1), tokens.shape[1])
    drawn = [
        Hypothesis(row[:length], score, end)
        for row, length, score, end in zip(
            tokens, lengths.tolist(), scores.tolist(), ended.tolist(), strict=True
        )
    ]
    return [
        sorted(drawn[first : first + count], key=lambda hypothesis: -hypothesis.score)
        for first in range(0, len(drawn), count)
    ]


class _CompactingStepper:
    """The steps of a model, without those of sources whose sequences have all ended and read `<blank>`."""

    def __init__(self, model: Stepper, shape: tuple[int, int]) -> None:
        """Begin with all sequences, as many as `shape`: sources and sequences of each."""
        self._model = model
        self._computed = np.arange(shape[0] * shape[1]).reshape(shape)  # (A, K) of the N sequences

    def step(self, tokens: Tokens, states: States) -> Prediction:
        """Read one more token of each sequence, (N,); what is said of one that has ended means nothing."""
        ended = (tokens[self._computed] == BLANK).all(axis=1)
        if np.count_nonzero(ended) >= max(1, COMPACT_AT * len(ended)):
            kept = np.flatnonzero(~ended)
            index = np.arange(self._computed.size).reshape(self._computed.shape)
            states = self._model.select(states, index[kept])
            self._computed = self._computed[kept]
        rows = self._computed.ravel()
        computed, states = self._model.step(tokens[rows], states)
        if len(rows) == len(tokens):
            return computed, states
        logits = np.zeros((len(tokens), computed.shape[1]), dtype=computed.dtype)
        logits[rows] = computed
        return logits, states
