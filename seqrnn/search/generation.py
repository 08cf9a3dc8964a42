"""Continuing sequences token by token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seqrnn.data.tokenizer import BLANK, BOS, EOS, UNK
from seqrnn.errors import UsageError
from seqrnn.search.sampling import Sampling, choose
from seqrnn.search.step import LogProbs, Prediction, Step, Tokens


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a generated sequence gets, in tokens, `<eos>` included, the prompt not.

    At most `max_len`, ending earlier at `<eos>`; or, where `fixed_len` is given, exactly that many,
    with `<eos>` forbidden. Raises UsageError where a length is below 1.
    """

    max_len: int = 400
    fixed_len: int | None = None

    def __post_init__(self) -> None:
        if self.length < 1:
            flag = "--max-len" if self.fixed_len is None else "--fixed-len"
            raise UsageError(f"{flag} {self.length}: out of range; give 1 or more")

    @property
    def length(self) -> int:
        """The most tokens that a sequence may have."""
        return self.max_len if self.fixed_len is None else self.fixed_len

    @property
    def forbidden(self) -> list[int]:
        """The tokens that are never generated."""
        return [BLANK, UNK, BOS] if self.fixed_len is None else [BLANK, UNK, BOS, EOS]


class Chosen(NamedTuple):
    """One more token of each sequence.

    `log_probs` are natural logs under the unmodified model, whatever filters chose the tokens; their
    sum over a sequence is its score. After its `<eos>` a sequence goes on with `<blank>`, at 0 nats.
    """

    tokens: Tokens  # (N,)
    log_probs: npt.NDArray[np.float64]  # (N,)


def generate(step: Step, start: Prediction, limits: Limits, sampling: Sampling) -> Iterator[Chosen]:
    """Continue N sequences, yielding each token as soon as it is chosen.

    `start` is what `step` returned for the last token of the prompts. Ends when every sequence has
    ended. The filters of `sampling` look back over the generated tokens, not over the prompt.
    Raises NumericError where the model gives nan.
    """
    log_probs, states = start
    rng = np.random.default_rng(sampling.seed)
    history = np.empty((len(log_probs), 0), dtype=np.int64)
    running = np.ones(len(log_probs), dtype=bool)
    for position in range(limits.length):
        if position:
            log_probs, states = step(history[:, -1], states)
        chosen = choose(_forbid(log_probs, limits.forbidden), history, sampling, rng)
        tokens = np.where(running, chosen, BLANK)
        yield Chosen(tokens, np.where(running, _pick(log_probs, chosen), 0.0))
        running &= tokens != EOS
        if not running.any():
            return
        history = np.column_stack((history, tokens))


def _forbid(log_probs: LogProbs, tokens: list[int]) -> LogProbs:
    allowed = log_probs.copy()
    allowed[:, tokens] = -np.inf
    return allowed


def _pick(log_probs: LogProbs, tokens: Tokens) -> npt.NDArray[np.float64]:
    return np.take_along_axis(log_probs, tokens[:, None], axis=1)[:, 0].astype(np.float64)
