"""Continuing sequences token by token."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from seqrnn.data.text.tokenizer import BLANK, BOS, EOS, UNK
from seqrnn.errors import UsageError
from seqrnn.search.sampling import Sampling, TokenSampler
from seqrnn.search.step import Logits, Prediction, Step, Tokens, log_softmax


class Limits(Struct, frozen=True):
    """How long a generated sequence gets, in tokens, `<eos>` included, the prompt not.

    At most `max_len`, ending earlier at `<eos>`; or, where `fixed_len` is given, exactly that many,
    with `<eos>` forbidden. Raises UsageError where a length is below 1.
    """

    max_len: int = 400
    fixed_len: int | None = None

    def __post_init__(self) -> None:
        if self.length < 1:
            flag = "`decoding.max_len`" if self.fixed_len is None else "`decoding.fixed_len`"
            raise UsageError(f"{flag} {self.length}: out of range; give 1 or more")

    @property
    def length(self) -> int:
        """The most tokens that a sequence may have."""
        return self.max_len if self.fixed_len is None else self.fixed_len

    @property
    def forbidden(self) -> list[int]:
        """The tokens that are never generated."""
        return [BLANK, UNK, BOS] if self.fixed_len is None else [BLANK, UNK, BOS, EOS]


class NextTokens(Struct):
    """One more token of each sequence; after its `<eos>` a sequence goes on with `<blank>`."""

    tokens: Tokens  # (N,)
    logits: Logits  # (N, V), of the unmodified model, whatever filters chose the tokens

    @property
    def log_probs(self) -> npt.NDArray[np.float64]:
        """Natural-log probabilities of the tokens, (N,), 0 of `<blank>`: summed up, a sequence's score.

        Computed when asked for: a text that is only read needs none.
        """
        rows = np.arange(len(self.tokens))
        gained = log_softmax(self.logits)[rows, self.tokens].astype(np.float64)
        gained[self.tokens == BLANK] = 0.0
        return gained


def generate(step: Step, start: Prediction, limits: Limits, sampling: Sampling) -> Iterator[NextTokens]:
    """Continue N sequences, yielding each token as soon as it is chosen.

    `start` is what `step` returned for the last token of the prompts. Ends when every sequence has
    ended. The filters of `sampling` look back over the generated tokens, not over the prompt.
    Raises NumericError where the model gives nan.
    """
    logits, states = start
    choose = TokenSampler(sampling, limits.forbidden, logits.shape)
    history = np.empty((len(logits), 0), dtype=np.int64)
    tokens, ended = np.full(len(logits), BOS), np.zeros(len(logits), dtype=bool)
    any_ended = False
    for position in range(limits.length):
        if position:
            logits, states = step(tokens, states)
        tokens = choose(logits, history)
        if any_ended:
            tokens[ended] = BLANK
        yield NextTokens(tokens, logits)
        if EOS in tokens.tolist():
            any_ended = True
            ended |= tokens == EOS
            if ended.all():
                return
        if sampling.looks_back:
            history = np.column_stack((history, tokens))
