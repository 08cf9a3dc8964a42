"""A model as answers and search see it: arrays instead of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from seqrnn.answering.opened_run import OpenedRun
from seqrnn.backends.torch.build import build_model, expected_parameters
from seqrnn.backends.torch.device import choose_device
from seqrnn.backends.torch.loss import Output
from seqrnn.backends.torch.networks import Texts, Written
from seqrnn.backends.torch.padded import full_lengths
from seqrnn.backends.torch.parameters import load_model
from seqrnn.data.dataset.batching import Batch
from seqrnn.search.step import Prediction, States, Tokens


def to_tensors(batch: Batch, device: torch.device) -> dict[str, Tensor]:
    """Move the arrays of a batch to `device`, without waiting for a GPU that is still at work."""
    tensors = {name: send(array, device) for name, array in batch.arrays.items() if name != "lengths"}
    if (lengths := batch.arrays.get("lengths")) is not None:
        known = device.type == "cuda" and is_full(batch)
        tensors["lengths"] = (
            full_lengths(len(lengths), batch.positions // len(lengths), device)
            if known
            else send(lengths, device)
        )
    return tensors


def send(array: np.ndarray, device: torch.device) -> Tensor:
    """Move an array to `device`; through memory that a GPU reads while the CPU goes on."""
    tensor = torch.from_numpy(array)
    return tensor if device.type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)


def is_full(batch: Batch) -> bool:
    """Whether no sequence of a batch ends before the others."""
    lengths = batch.arrays.get("lengths")
    return lengths is not None and 0 < int(lengths.sum()) == batch.positions


def to_arrays(output: Output) -> dict[str, np.ndarray]:
    """Bring what a model computed to NumPy."""
    return {name: value.cpu().numpy() for name, value in output.values.items()}


class TorchBackend:
    """Asks a model of this engine; it can do what its model can."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self._device = next(model.parameters()).device

    @torch.inference_mode()
    def values(self, batch: Batch) -> dict[str, np.ndarray]:
        """Compute what the task makes its answers from."""
        return to_arrays(self.model(to_tensors(batch, self._device)))

    @torch.inference_mode()
    def begin(self, batch: Batch) -> Prediction:
        """Begin a sequence for each row of a batch: the first token's logits (B, V)."""
        return _predicted(cast(Written, self.model).begin(to_tensors(batch, self._device)))

    @torch.inference_mode()
    def read(self, tokens: Tokens, states: States | None) -> Prediction:
        """Read `tokens` (N, T), from nothing if `states` is None.

        Returns the next token's logits (N, V), and the states.
        """
        return _predicted(cast(Texts, self.model).read(torch.from_numpy(tokens).to(self._device), states))

    @torch.inference_mode()
    def step(self, tokens: Tokens, states: States) -> Prediction:
        """Read one more token of each sequence, (N,)."""
        return _predicted(
            cast(Texts | Written, self.model).step(torch.from_numpy(tokens).to(self._device), states)
        )

    @torch.inference_mode()
    def select(self, states: States, rows: Tokens) -> States:
        """Go on from the sequences `rows` (A, K)."""
        return cast(Written, self.model).select(states, torch.from_numpy(rows).to(self._device))

    @torch.inference_mode()
    def log_likelihood(self, batch: Batch) -> np.ndarray:
        """Return the log-probability of the `targets` of each row up to its length, (B,), in nats."""
        log_probs = cast(Texts, self.model).log_likelihood(to_tensors(batch, self._device))
        found: np.ndarray = log_probs.cpu().numpy()
        return found

    def to_arrays(self, states: States) -> list[tuple[np.ndarray, ...]]:
        """Return the state of each layer of a language model in NumPy, each array (N, H)."""
        return [tuple(array.cpu().numpy() for array in layer) for layer in states]

    def from_arrays(self, layers: Sequence[tuple[np.ndarray, ...]]) -> States:
        """Return the states that `to_arrays` has returned."""
        return [tuple(torch.from_numpy(array).to(self._device) for array in layer) for layer in layers]


def open_backend(run: OpenedRun, device: str = "auto") -> TorchBackend:
    """Make the network of a run on a device, ready to answer.

    Raises ModelError where the weights are not those of the configuration, before memory is taken
    for them, and UsageError where there is no such device.
    """
    arrays = run.checkpoint.tensors(expected_parameters(run.config, run.task))
    model = build_model(run.config, run.task)
    load_model(model, arrays)
    return TorchBackend(model.to(choose_device(device)).eval())


def _predicted(predicted: tuple[Tensor, States]) -> Prediction:
    return predicted[0].cpu().numpy(), predicted[1]
