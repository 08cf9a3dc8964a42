"""Beam search: keep the likeliest beginnings of each sequence, and extend all of them.

Shapes: R sequences searched for side by side, A of them not done yet, K beams, V vocabulary, T time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from seqrnn.data.text.tokenizer import EOS
from seqrnn.errors import UsageError
from seqrnn.search.generation import Limits
from seqrnn.search.sampling import drop_repeated_ngrams, require_choices
from seqrnn.search.step import LogProbs, Prediction, Stepper, Tokens, log_softmax

Scores = npt.NDArray[np.float64]


class Hypothesis(NamedTuple):
    """One sequence that was found.

    The score is the sum of its tokens' natural-log probabilities, that of `<eos>` included if the
    sequence `ended` with it and did not run into a limit.
    """

    tokens: Tokens  # (T,), without <eos>
    score: float
    ended: bool


class _Candidates(NamedTuple):
    """Continuations of the beams by one token, the first the greedy one if it is still followed."""

    parents: Tokens  # (A, 2K) which beam
    tokens: Tokens  # (A, 2K)
    scores: Scores  # (A, 2K)

    def take(self, columns: npt.NDArray[np.intp]) -> _Candidates:
        """Take some of each sequence, (A, K)."""
        return _Candidates(
            np.take_along_axis(self.parents, columns, axis=1),
            np.take_along_axis(self.tokens, columns, axis=1),
            np.take_along_axis(self.scores, columns, axis=1),
        )


class Beam(Struct, frozen=True):
    """How wide to search, and which of the sequences found are the best.

    They are ranked by `score / ((5 + length) / 6) ** length_penalty` (Wu et al. 2016, "Google's neural
    machine translation system", eq. 14, without coverage), length in tokens with `<eos>`: at 0 by
    the score itself, above 0 long ones suffer less from their length. Raises UsageError where a
    value is out of range.
    """

    size: int = 5
    length_penalty: float = 0.0
    no_repeat_ngram: int = 0

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UsageError(f"`decoding.beam_size` {self.size}: out of range; give 1 or more")
        if not 0 <= self.length_penalty <= 10:
            raise UsageError(f"`decoding.length_penalty` {self.length_penalty}: out of range; give 0 to 10")

    def rank(self, scores: Scores, length: int) -> Scores:
        """Return what sequences of `length` tokens are compared by: the higher, the better."""
        ranks: Scores = scores / ((5.0 + length) / 6.0) ** self.length_penalty
        return ranks


def beam_search(model: Stepper, start: Prediction, limits: Limits, beam: Beam) -> list[list[Hypothesis]]:
    """Search for the likeliest sequences; return up to `beam.size` for each of the R, the best first.

    `start` is what the model predicts first, (R, V). A sequence is done when so many hypotheses have
    ended that no beginning that is still followed ranks, as it is, above the worst of them; it
    then costs no more. What is still followed when the limit is reached ends there.
    The greedy path keeps its beam whatever its score, so that a beam of 1 is greedy search and no
    beam finds a worse sequence. Raises NumericError where the model gives nan.
    """
    logits, states = start
    search = _Search(len(logits), limits, beam)
    while True:
        parents = search.extend(log_softmax(logits))
        if not search.running:
            return search.best()
        states = model.select(states, parents)
        logits, states = model.step(search.last, states)


class _Search:
    """The state of a beam search: the beams of the sequences that are not done, and all that has ended."""

    def __init__(self, count: int, limits: Limits, beam: Beam) -> None:
        self._limits, self._beam = limits, beam
        self._names = np.arange(count)  # (A,) which of the R sequences
        self._scores = np.zeros((count, 1))  # (A, K)
        self._tokens = np.zeros((count, 1, 0), dtype=np.int64)  # (A, K, T)
        self._greedy = np.ones(count, dtype=bool)  # (A,) whether beam 0 is the greedy path, not ended yet
        self._ranks = np.full((count, beam.size), -np.inf)  # (A, K) of the best that have ended, descending
        self._found: list[list[tuple[float, Hypothesis]]] = [[] for _ in range(count)]

    @property
    def running(self) -> bool:
        """Whether any sequence is not done."""
        return len(self._names) > 0

    @property
    def last(self) -> Tokens:
        """The newest token of each beam, (A * K,)."""
        return self._tokens[:, :, -1].ravel()

    def extend(self, log_probs: LogProbs) -> Tokens:
        """Follow all beams by a token, predicted by `log_probs` (A * K, V).

        Returns which of the old A * K beams each of the new ones extends, (A, K).
        """
        require_choices(log_probs)
        found = self._candidates(self._allowed(log_probs))
        first = np.arange(found.tokens.shape[1]) < self._beam.size
        self._take_ended(found, (found.tokens == EOS) & first & np.isfinite(found.scores))
        self._greedy &= found.tokens[:, 0] != EOS
        # The best that go on, in their order: those with <eos> are sorted last.
        kept = found.take(np.argsort(found.tokens == EOS, axis=1, kind="stable")[:, : self._beam.size])
        origins = kept.parents + np.arange(len(kept.parents))[:, None] * self._scores.shape[1]
        history = np.take_along_axis(self._tokens, kept.parents[:, :, None], axis=1)
        self._tokens = np.concatenate((history, kept.tokens[:, :, None]), axis=2)
        self._scores = np.where(kept.tokens == EOS, -np.inf, kept.scores)
        if self._tokens.shape[2] == self._limits.length:
            self._take_cut()
        running = self._are_running()
        self._keep(running)
        rows: Tokens = origins[running]
        return rows

    def _allowed(self, log_probs: LogProbs) -> LogProbs:
        """Return -inf for each token that must not follow."""
        allowed = log_probs.copy()
        allowed[:, self._limits.forbidden] = -np.inf
        history = self._tokens.reshape(len(log_probs), -1)
        return drop_repeated_ngrams(allowed, history, self._beam.no_repeat_ngram)

    def _candidates(self, allowed: LogProbs) -> _Candidates:
        """Return the best 2K continuations of each sequence: of these, at least K do not end."""
        rows, beams = self._scores.shape
        count = min(2 * self._beam.size, allowed.shape[1])
        best = np.argpartition(-allowed, count - 1, axis=1)[:, :count]  # (A * K, 2K)
        best.sort(axis=1)  # of equal ones the first, as in greedy search
        gains = np.take_along_axis(allowed, best, axis=1).astype(np.float64).reshape(rows, beams, count)
        scores = (self._scores[:, :, None] + gains).reshape(rows, beams * count)
        ranks = scores.copy()
        ranks[self._greedy, gains[self._greedy, 0].argmax(axis=1)] = np.inf
        parents = np.broadcast_to(np.repeat(np.arange(beams), count), scores.shape)
        order = np.argsort(-ranks, axis=1, kind="stable")[:, : 2 * self._beam.size]
        return _Candidates(parents, best.reshape(scores.shape), scores).take(order)

    def _take_ended(self, found: _Candidates, ends: npt.NDArray[np.bool_]) -> None:
        """Note the candidates that `ends` (A, 2K) says have ended."""
        ranks = self._beam.rank(found.scores, self._tokens.shape[2] + 1)
        for row, column in zip(*np.nonzero(ends), strict=True):
            tokens = self._tokens[row, found.parents[row, column]]
            hypothesis = Hypothesis(tokens, float(found.scores[row, column]), True)
            self._found[self._names[row]].append((float(ranks[row, column]), hypothesis))
        together = np.concatenate((self._ranks, np.where(ends, ranks, -np.inf)), axis=1)
        self._ranks = -np.sort(-together, axis=1)[:, : self._beam.size]

    def _take_cut(self) -> None:
        """Note what is still followed when the limit is reached."""
        ranks = self._beam.rank(self._scores, self._tokens.shape[2])
        for row, column in zip(*np.nonzero(np.isfinite(self._scores)), strict=True):
            cut = Hypothesis(self._tokens[row, column], float(self._scores[row, column]), False)
            self._found[self._names[row]].append((float(ranks[row, column]), cut))

    def _are_running(self) -> npt.NDArray[np.bool_]:
        """Say which sequences are not done, (A,)."""
        length = self._tokens.shape[2]
        if length == self._limits.length:
            return np.zeros(len(self._names), dtype=bool)
        full = np.isfinite(self._ranks[:, -1])
        beaten = self._beam.rank(self._scores.max(axis=1), length) <= self._ranks[:, -1]
        # The greedy path is followed as long as it may become the best, at the limit and without a loss.
        reach = self._beam.rank(self._scores[:, 0], self._limits.length)
        hopeful = self._greedy & (reach > self._ranks[:, 0])
        alive = np.isfinite(self._scores.max(axis=1))
        running: npt.NDArray[np.bool_] = alive & (hopeful | ~(full & beaten))
        return running

    def _keep(self, rows: npt.NDArray[np.bool_]) -> None:
        """Follow only the sequences `rows` (A,) any further."""
        self._names, self._greedy = self._names[rows], self._greedy[rows]
        self._scores, self._tokens, self._ranks = self._scores[rows], self._tokens[rows], self._ranks[rows]

    def best(self) -> list[list[Hypothesis]]:
        """Return what was found for each sequence, the highest rank first."""
        ranked = (sorted(found, key=lambda entry: -entry[0]) for found in self._found)
        return [[hypothesis for _, hypothesis in found[: self._beam.size]] for found in ranked]
