"""What search knows of a model: one function from tokens to the scores of the next ones.

Shapes: N sequences that are continued side by side, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.int64]
"""Token ids, (N,), or (N, T) where they are a history."""

Logits = npt.NDArray[np.float32]
"""Natural-log probabilities of the next token up to a constant a row, (N, V); `log_softmax` takes it off."""

LogProbs = npt.NDArray[np.float32]
"""Natural-log probabilities of the next token, (N, V)."""

States = Any
"""What a model remembers; search only hands it from one step to the next."""

Prediction = tuple[Logits, States]
"""What a step returns."""

Step = Callable[[Tokens, States], Prediction]
"""`(tokens (N,), states) -> (logits (N, V), states)`."""


def log_softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return `log softmax(logits)` along the last axis, in nats."""
    shifted: npt.NDArray[np.float32] = logits - logits.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


class Stepper(Protocol):
    """A model whose sequences can be continued, dropped and multiplied."""

    def step(self, tokens: Tokens, states: States) -> Prediction:
        """Read one more token of each sequence: a `Step`."""

    def select(self, states: States, rows: Tokens) -> States:
        """Return the states of the sequences `rows` (A, K), which may name one several times.

        The K sequences of one row continue the same beginning, so that a model may keep what it
        has read there only once. Afterwards N is A * K.
        """
