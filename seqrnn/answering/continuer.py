"""Text that a language model goes on with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from seqrnn.answering.backend import Continuing
from seqrnn.answering.opened_run import OpenedRun
from seqrnn.answering.state_file import read_state, state_shapes, write_state
from seqrnn.data.text.tokenizer import BOS
from seqrnn.search.step import Prediction, States, Tokens
from seqrnn.tasks.language_model import LanguageModel


class Continuer:
    """Reads prompts and goes on token by token: the step function that search asks.

    `stands` is what it has predicted last, with the states that it stood in.
    """

    def __init__(self, run: OpenedRun, backend: Continuing) -> None:
        assert isinstance(run.task, LanguageModel)
        self.tokenizer = run.task.text.tokenizer
        self.stands: Prediction | None = None
        self._run = run
        self._backend = backend

    def start(self, prompt: np.ndarray, after: Prediction | None = None) -> Prediction:
        """Read a prompt (T,): the next token's logits (1, V), and the states.

        It stands after <bos>, unless it goes on `after` something that was read before.
        """
        if after is None:
            self.stands = self._backend.read(np.concatenate([[BOS], prompt]).astype(np.int64)[None], None)
        elif len(prompt):
            self.stands = self._backend.read(prompt.astype(np.int64)[None], after[1])
        else:
            self.stands = after
        return self.stands

    def step(self, tokens: Tokens, states: States) -> Prediction:
        """Read one more token of each sequence, (N,)."""
        self.stands = self._backend.step(tokens, states)
        return self.stands

    def save(self, path: Path, unread: Tokens) -> None:
        """Read what it has not read yet, (1,) or (0,), and write where it stands. Raises OutputError."""
        assert self.stands is not None
        logits, states = self.step(unread, self.stands[1]) if len(unread) else self.stands
        numbers = [logits, *(array for layer in self._backend.to_arrays(states) for array in layer)]
        write_state(path, self._weights, dict(zip(self._shapes, numbers, strict=True)))

    def load(self, path: Path) -> Prediction:
        """Return where a file of `save` stands. Raises DataError where it is not of these weights."""
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
        generation = self._run.generation
        return generation.manifest.fingerprint("model.safetensors", generation.path).sha256
