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
from seqrnn.search.step import Prediction, Step, Tokens


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
    barred = np.zeros_like(log_probs[:1])  # (1, V), added to the log-probabilities
    barred[:, limits.forbidden] = -np.inf
    rows = np.arange(len(log_probs))
    history = np.empty((len(rows), 0), dtype=np.int64)
    tokens = np.full(len(rows), BOS)
    ended, count = np.zeros(len(rows), dtype=bool), 0
    for position in range(limits.length):
        if position:
            log_probs, states = step(tokens, states)
        tokens = choose(log_probs + barred, history, sampling, rng)
        gained = log_probs[rows, tokens].astype(np.float64)
        if count:
            tokens[ended], gained[ended] = BLANK, 0.0
        yield Chosen(tokens, gained)
        ended |= tokens == EOS
        count = int(np.count_nonzero(ended))
        if count == len(rows):
            return
        if sampling.looks_back:
            history = np.column_stack((history, tokens))
