"""Text that a language model goes on with."""

from __future__ import annotations

import numpy as np

from seqrnn.answering.backend import Continuing
from seqrnn.data.tokenizer import BOS
from seqrnn.search.step import Prediction, States, Tokens
from seqrnn.tasks.language_model import LanguageModel


class Continuer:
    """Reads prompts and goes on token by token: the step function that search asks."""

    def __init__(self, task: LanguageModel, backend: Continuing) -> None:
        self.tokenizer = task.text.tokenizer
        self._backend = backend

    def start(self, prompt: np.ndarray) -> Prediction:
        """Read <bos> and a prompt (T,): the next token's log-probabilities (1, V), and the states."""
        return self._backend.read(np.concatenate([[BOS], prompt]).astype(np.int64)[None])

    def step(self, tokens: Tokens, states: States) -> Prediction:
        """Read one more token of each sequence, (N,)."""
        return self._backend.step(tokens, states)
