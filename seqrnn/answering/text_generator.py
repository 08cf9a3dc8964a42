"""Text that a language model goes on with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from seqrnn.answering.backend import Backend, LanguageModelBackend
from seqrnn.answering.opened_run import OpenedRun
from seqrnn.answering.state_file import read_state, state_shapes, write_state
from seqrnn.data.text.tokenizer import BOS
from seqrnn.search.step import Prediction, States, Tokens
from seqrnn.tasks.language_model import LanguageModeling

READ_AT_ONCE = 2**14  # tokens of a prompt


class TextGenerator:
    """Reads prompts and goes on token by token: the step function that search asks.

    `last_prediction` is what it has predicted last, with the states at that point.
    """

    def __init__(self, run: OpenedRun, backend: Backend) -> None:
        assert isinstance(backend, LanguageModelBackend)
        self.tokenizer = LanguageModeling.of(run.task).text.tokenizer
        self.last_prediction: Prediction | None = None
        self._run = run
        self._backend = backend

    def start(self, prompt: np.ndarray, after: Prediction | None = None) -> Prediction:
        """Read a prompt (T,): the next token's logits (1, V), and the states.

        The prompt follows <bos>, unless it continues an earlier text, `after`.
        """
        if after is None:
            self.last_prediction = self._read(np.concatenate([[BOS], prompt]), None)
        elif len(prompt):
            self.last_prediction = self._read(prompt, after[1])
        else:
            self.last_prediction = after
        return self.last_prediction

    def _read(self, tokens: Tokens, states: States | None) -> Prediction:
        """Read tokens (T,), T > 0, some at a time: a long prompt takes no more memory than a short one."""
        for start in range(0, len(tokens), READ_AT_ONCE):
            part = tokens[start : start + READ_AT_ONCE].astype(np.int64)
            logits, states = self._backend.read(part[None], states)
        return logits, states

    def step(self, tokens: Tokens, states: States) -> Prediction:
        """Read one more token of each sequence, (N,)."""
        self.last_prediction = self._backend.step(tokens, states)
        return self.last_prediction

    def save(self, path: Path, unread: Tokens) -> None:
        """Read what it has not read yet, (1,) or (0,), and save the state. Raises OutputError."""
        assert self.last_prediction is not None
        logits, states = self.step(unread, self.last_prediction[1]) if len(unread) else self.last_prediction
        numbers = [logits, *(array for layer in self._backend.to_arrays(states) for array in layer)]
        write_state(path, self._weights, dict(zip(self._shapes, numbers, strict=True)))

    def load(self, path: Path) -> Prediction:
        """Return the state in a file of `save`. Raises DataError where it is not of these weights."""
        arrays = read_state(path, self._weights, self._shapes)
        logits, *parts = arrays.values()
        width = len(parts) // self._run.config.model.num_layers
        layers = [tuple(parts[first : first + width]) for first in range(0, len(parts), width)]
        return logits, self._backend.from_arrays(layers)

    @property
    def _shapes(self) -> Mapping[str, tuple[int, ...]]:
        return state_shapes(self._run.config.model, len(self.tokenizer))

    @property
    def _weights(self) -> str:
        """The weights by their hash, so that a state is not taken for one of another training."""
        checkpoint = self._run.checkpoint
        return checkpoint.manifest.fingerprint("model.safetensors", checkpoint.path).sha256
