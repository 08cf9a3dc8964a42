"""Choosing the next token of each sequence from the model's logits.

    logits -> repetition penalty -> repeated n-grams out -> top-k -> top-p -> draw at the temperature

Each filter is a pure function from scores (N, V) to scores (N, V). A score is a log-probability, and
-inf for a token that cannot be chosen. A filter always leaves a row at least one token if it was given one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from seqrnn.errors import NumericError, UsageError
from seqrnn.search.step import Logits, LogProbs, Tokens, log_softmax

NOISE = 2**14  # numbers that are drawn at once, some tenths of a millisecond
LEAST_NOISE = 2**9  # of them by each generator, as calling it takes as long
MAX_TEMPERATURE = 1e30  # temperature or penalty: more would change nothing, and leave single precision
MIN_TEMPERATURE = 1e-200  # temperature: below, what double precision holds could become infinite


class Sampling(Struct, frozen=True):
    """How tokens are chosen.

    `temperature` 0 is greedy search: always the likeliest token. `top_k` 0, `top_p` 1,
    `repetition_penalty` 1 and `no_repeat_ngram` 0 filter nothing. Where `numbers` are given, one for each
    row that is continued, a row's draws depend on `seed` and its number alone, whatever is beside it.

    Raises UsageError where a value is out of range.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    no_repeat_ngram: int = 0
    seed: int = 1
    numbers: tuple[int, ...] | None = None

    @property
    def looks_back(self) -> bool:
        """Whether a choice depends on the tokens before it."""
        return self.repetition_penalty != 1 or self.no_repeat_ngram > 0

    def generators(self) -> list[np.random.Generator]:
        """Return what draws: one for all sequences, or one for those of each row, in their order."""
        if self.numbers is None:
            return [np.random.default_rng(self.seed)]
        seeds = [np.random.SeedSequence(self.seed, spawn_key=(number,)) for number in self.numbers]
        return [np.random.default_rng(seed) for seed in seeds]

    def __post_init__(self) -> None:
        finite = math.isfinite(self.temperature) and math.isfinite(self.repetition_penalty)
        _require(
            finite and self.temperature >= 0, f"`decoding.temperature` {self.temperature}", "give 0 or more"
        )
        _require(
            self.top_k >= 0, f"`decoding.top_k` {self.top_k}", "give 1 or more, or 0 to keep every token"
        )
        _require(0 < self.top_p <= 1, f"`decoding.top_p` {self.top_p}", "give a share above 0 and up to 1")
        _require(
            0 < self.repetition_penalty <= MAX_TEMPERATURE,
            f"`decoding.repetition_penalty` {self.repetition_penalty}",
            "give a number above 0 and up to 1e30; 1 changes nothing, more than 1 discourages",
        )
        _require(
            self.no_repeat_ngram >= 0,
            f"`decoding.no_repeat_ngram` {self.no_repeat_ngram}",
            "give a length in tokens, or 0 to allow repetition",
        )
        _require(self.seed >= 0, f"`decoding.seed` {self.seed}", "give 0 or more")


def _require(holds: bool, what: str, advice: str) -> None:
    if not holds:
        raise UsageError(f"{what}: out of range; {advice}")


class TokenSampler:
    """Chooses the next token of N sequences, one step after the other.

    The largest of `score / temperature + g` is a draw with probability proportional to
    `exp(score / temperature)` if each g is Gumbel's, which is `-log` of an exponential (Maddison et al. 2014,
    "A* sampling"). Times the temperature, this is the largest of `score + temperature * g`: what is added
    does not depend on the scores, so it is made for many steps at once, and of greedy search it is 0.
    """

    def __init__(self, sampling: Sampling, forbidden: Sequence[int], shape: tuple[int, int]) -> None:
        """Prepare for logits of `shape` (N, V); the tokens `forbidden` are never chosen."""
        self._sampling = sampling
        self._filters = sampling.looks_back or sampling.top_k > 0 or sampling.top_p < 1
        self._barred = np.zeros((1, shape[1]), dtype=np.float32)
        self._barred[:, list(forbidden)] = -np.inf
        self._additions = self._make_additions(shape)

    def __call__(self, logits: Logits, history: Tokens) -> Tokens:
        """Choose one token a row, (N,), after those of `history` (N, T).

        Raises NumericError where the model gave nan, or where a row has no token that may be chosen.
        """
        scores = self._filter(logits, history) if self._filters else logits
        scores = scores + next(self._additions)
        tokens: Tokens = scores.argmax(axis=1)  # of a row with a nan, that
        if len(tokens) == 1:  # a text that is written: as little as can be around each token
            finite = math.isfinite(scores.item(tokens.item()))
        else:
            finite = bool(np.isfinite(scores[np.arange(len(tokens)), tokens]).all())
        if not finite:
            raise _no_choice()
        return tokens

    def _filter(self, logits: Logits, history: Tokens) -> LogProbs:
        sampling = self._sampling
        scores = log_softmax(logits) + self._barred
        scores = penalize_repetition(scores, history, sampling.repetition_penalty)
        scores = drop_repeated_ngrams(scores, history, sampling.no_repeat_ngram)
        scores = keep_top_k(scores, sampling.top_k)
        return keep_top_p(scores, sampling.top_p, sampling.temperature)

    def _make_additions(self, shape: tuple[int, int]) -> Iterator[npt.NDArray[np.float32]]:
        """Yield what is added to the scores of a step, (N, V): noise, and -inf where a token is forbidden."""
        temperature = min(self._sampling.temperature, MAX_TEMPERATURE)
        if temperature == 0:
            yield from repeat(self._barred)
        generators = self._sampling.generators()
        each = shape[0] // len(generators), shape[1]
        steps = max(1, max(NOISE // len(generators), LEAST_NOISE) // math.prod(each))
        while True:
            drawn = [generator.standard_exponential((steps, *each)) for generator in generators]
            noise = np.concatenate(drawn, axis=1, dtype=np.float32)
            np.log(noise, out=noise)
            noise *= -temperature
            noise += self._barred
            yield from noise


def require_choices(scores: LogProbs) -> None:
    """Raise NumericError where a row (V,) of `scores` (N, V) holds nan, or nothing that may be chosen."""
    # The maximum of a row with a nan is nan, and of a row without choices -inf.
    if np.count_nonzero(np.isfinite(scores.max(axis=1))) < len(scores):
        raise _no_choice()


def _no_choice() -> NumericError:
    return NumericError(
        "the model gave nan, or no token that may be chosen; train it again with a lower "
        "`training.learning_rate`"
    )


def penalize_repetition(scores: LogProbs, history: Tokens, penalty: float) -> LogProbs:
    """Make the tokens in a row's history less likely: `p ** penalty` before normalising.

    Keskar et al. (2019), "CTRL", section 4.1, divide the logit of a chosen token by the penalty,
    which punishes it only where the logit is positive. Log-probabilities are never positive, so
    here they are multiplied: the token becomes less likely whatever constant the logits bore.
    """
    if penalty == 1 or not history.size:
        return scores
    chosen = np.zeros(scores.shape, dtype=bool)
    np.put_along_axis(chosen, history, True, axis=1)
    return np.where(chosen, scores * penalty, scores)


def drop_repeated_ngrams(scores: LogProbs, history: Tokens, size: int) -> LogProbs:
    """Drop each token that would complete an n-gram of `size` tokens already in the row's history.

    A row that would be left with nothing is returned as it came.
    """
    length = history.shape[1]
    if size == 0 or length < size:
        return scores
    ngrams = np.lib.stride_tricks.sliding_window_view(history, size, axis=1)  # (N, T - size + 1, size)
    begun = history[:, None, length - size + 1 :]
    rows, starts = np.nonzero((ngrams[:, :, :-1] == begun).all(axis=2))
    dropped = scores.copy()
    dropped[rows, ngrams[rows, starts, -1]] = -np.inf
    stuck = np.isneginf(dropped).all(axis=1, keepdims=True)
    return np.where(stuck, scores, dropped)


def keep_top_k(scores: LogProbs, k: int) -> LogProbs:
    """Keep the k likeliest tokens of each row; 0 keeps all."""
    if k == 0 or k >= scores.shape[1]:
        return scores
    best = np.argpartition(scores, -k, axis=1)[:, -k:]  # (N, k)
    kept = np.full_like(scores, -np.inf)
    np.put_along_axis(kept, best, np.take_along_axis(scores, best, axis=1), axis=1)
    return kept


def keep_top_p(scores: LogProbs, p: float, temperature: float = 1.0) -> LogProbs:
    """Keep the smallest set of likeliest tokens whose probabilities add up to p or more.

    Holtzman et al. (2020), "The curious case of neural text degeneration", section 3.1. The probabilities
    are those at the temperature: below 1 it favours likely tokens, above 1 it evens them out.
    """
    if p == 1:
        return scores
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=1)
    with np.errstate(over="ignore"):  # what is infinitely less likely has no weight
        weights = np.exp((ranked - ranked[:, :1]).astype(np.float64) / max(temperature, MIN_TEMPERATURE))
    mass = weights.cumsum(axis=1)
    # A token goes when those before it already have the mass; the first one has none before it.
    enough = (mass - weights) >= p * mass[:, -1:]
    kept = scores.copy()
    np.put_along_axis(kept, order, np.where(enough, -np.inf, ranked), axis=1)
    return kept
