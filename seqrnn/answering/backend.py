"""What a backend can do for a trained model: the network's arithmetic, arrays in and arrays out.

`backends/numpy/` computes in NumPy, `backends/torch/backend.py` in PyTorch. A network of `backends/numpy/`
offers the one of these protocols that its kind of task needs; that of PyTorch offers all and asks its model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from seqrnn.data.dataset.batching import Batch
from seqrnn.search.step import Prediction, States, Stepper, Tokens
from seqrnn.tasks.scorer import Values


@runtime_checkable
class ClassifierBackend(Protocol):
    """The model of an `PredictionTask`."""

    def values(self, batch: Batch) -> Values:
        """Compute what the task makes its answers from."""


@runtime_checkable
class Seq2SeqBackend(Stepper, Protocol):
    """The model of a `GenerationTask`."""

    def begin(self, batch: Batch) -> Prediction:
        """Begin a sequence for each row of a batch: the first token's logits (B, V)."""


@runtime_checkable
class LanguageModelBackend(Protocol):
    """A language model."""

    def read(self, tokens: Tokens, states: States | None) -> Prediction:
        """Read `tokens` (N, T), from nothing if `states` is None.

        Returns the next token's logits (N, V), and the states.
        """

    def step(self, tokens: Tokens, states: States) -> Prediction:
        """Read one more token of each sequence, (N,): a `Step`."""

    def log_likelihood(self, batch: Batch) -> np.ndarray:
        """Return the log-probability of the `targets` of each row up to its length, (B,), in nats."""

    def to_arrays(self, states: States) -> Sequence[tuple[np.ndarray, ...]]:
        """Return the state of each layer in NumPy, each array (N, H)."""

    def from_arrays(self, layers: Sequence[tuple[np.ndarray, ...]]) -> States:
        """Return the states that `to_arrays` has returned."""


Backend = ClassifierBackend | Seq2SeqBackend | LanguageModelBackend
"""The model of a run, whatever its task; those who use it take the one that they need."""
