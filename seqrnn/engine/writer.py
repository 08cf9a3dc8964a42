"""A model that writes sequences, as search sees it: arrays instead of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from seqrnn.engine.decoder import Writing
from seqrnn.search.beam import Hypothesis
from seqrnn.search.decoding import Decoding, decode
from seqrnn.search.step import Prediction


class WritingModel(Protocol):
    """What a model of a `WritingTask` can do beside computing a loss."""

    def begin(self, arrays: Mapping[str, Tensor]) -> tuple[Tensor, Writing]:
        """Begin a sequence for each row of a batch: the first token's log-probabilities (B, V)."""

    def step(self, tokens: Tensor, writing: Writing) -> tuple[Tensor, Writing]:
        """Read one more token of each sequence, (N,): the next one's log-probabilities (N, V)."""

    def select(self, writing: Writing, rows: Tensor) -> Writing:
        """Go on from the sequences `rows` (A, K), where those of one row have one source."""


class Writer:
    """The `Stepper` of a model."""

    def __init__(self, model: nn.Module) -> None:
        self._model = cast(WritingModel, model)
        self._device = next(model.parameters()).device

    @torch.inference_mode()
    def write(self, arrays: Mapping[str, Tensor], decoding: Decoding) -> list[list[Hypothesis]]:
        """Write sequences for each row of a batch, the best first."""
        return decode(self, _to_arrays(self._model.begin(arrays)), decoding)

    @torch.inference_mode()
    def step(self, tokens: np.ndarray, states: Writing) -> Prediction:
        """Read one more token of each sequence, (N,)."""
        return _to_arrays(self._model.step(torch.from_numpy(tokens).to(self._device), states))

    @torch.inference_mode()
    def select(self, states: Writing, rows: np.ndarray) -> Writing:
        """Go on from the sequences `rows` (A, K)."""
        return self._model.select(states, torch.from_numpy(rows).to(self._device))


def _to_arrays(predicted: tuple[Tensor, Writing]) -> Prediction:
    return predicted[0].cpu().numpy(), predicted[1]
