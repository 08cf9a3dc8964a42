"""A model, and a training in full, as named arrays that a checkpoint can hold."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import nn

from seqrnn.backends.torch.rnn import Layers
from seqrnn.errors import ModelError
from seqrnn.run.checkpoint import Checkpoint
from seqrnn.run.manifest import TRAINING_TENSORS
from seqrnn.run.tensors import Expected
from seqrnn.training.averaging import AVERAGED
from seqrnn.training.optimizer import MOMENTS

Arrays = dict[str, np.ndarray]
Kinds = dict[str, tuple[str, tuple[int, ...]]]

RANDOM = "rng"
CUDA_RANDOM = "rng.cuda"  # of a training on a GPU
CUDA_RANDOM_SIZE = 16  # bytes: its seed, and how many numbers were drawn


@runtime_checkable
class Carrying(Protocol):
    """A model that carries its state from one batch to the next."""

    def initial(self, rows: int) -> Layers:
        """Return the state in which a text begins, of so many rows."""


def training_arrays(model: nn.Module, optimizer: torch.optim.Optimizer, carry: Layers | None) -> Arrays:
    """Return what a training needs beside the weights: optimizer, random state, carried state."""
    arrays: Arrays = {RANDOM: torch.get_rng_state().numpy()}
    device = next(model.parameters()).device
    if device.type == "cuda":
        arrays[CUDA_RANDOM] = torch.cuda.get_rng_state(device).numpy()
    for name, parameter in model.named_parameters():
        state = optimizer.state.get(parameter, {})
        if "step" in state and state["step"] == 0:  # each update so far was left out
            continue
        for key in MOMENTS[type(optimizer)]:
            if isinstance(value := state.get(key), torch.Tensor):
                arrays[f"optimizer.{name}.{key}"] = value.detach().cpu().numpy()
    for index, state in enumerate(carry or []):
        for part, array in enumerate(state):
            arrays[f"carry.{index}.{part}"] = array.detach().float().cpu().numpy()
    return arrays


def expected_training(model: nn.Module, found: Expected) -> Kinds:
    """Return the tensors that a training of `model` must have saved, dtype and shape by name.

    What differs between trainings is told by the names `found` in the file: whose moments there are, whether
    the weights were averaged, and whether a state was carried, in so many rows. Each is there in full, or not
    at all. Nothing is allocated that is as large as the file says.
    """
    trained = {name: tuple(p.shape) for name, p in model.named_parameters() if p.requires_grad}
    expected: Kinds = {RANDOM: ("uint8", tuple(torch.get_rng_state().shape))}
    if CUDA_RANDOM in found:
        expected[CUDA_RANDOM] = ("uint8", (CUDA_RANDOM_SIZE,))
    for name, shape in trained.items():
        for moments in MOMENTS.values():
            kinds: Kinds = {
                f"optimizer.{name}.{key}": ("float32", shape if shaped else ())
                for key, shaped in moments.items()
            }
            expected |= kinds if kinds.keys() & found.keys() else {}
    averaged: Kinds = {f"{AVERAGED}{name}": ("float32", shape) for name, shape in trained.items()}
    expected |= averaged if averaged.keys() & found.keys() else {}
    return expected | _expected_carry(model, found)


def _expected_carry(model: nn.Module, found: Expected) -> Kinds:
    """Return the state that a model carries from one batch to the next, in as many rows as the file says."""
    if not isinstance(model, Carrying) or not any(name.startswith("carry.") for name in found):
        return {}
    _, shape = found.get("carry.0.0", ("", ()))
    rows = max(shape[:1], default=1)
    return {
        f"carry.{index}.{part}": ("float32", (rows, *array.shape[1:]))
        for index, state in enumerate(model.initial(1))
        for part, array in enumerate(state)
    }


def load_training(
    checkpoint: Checkpoint, model: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[Layers | None, Mapping[str, np.ndarray]]:
    """Put the optimizer and the random state of a checkpoint back.

    Moments of another optimizer are left out. Returns the state that was carried, and all arrays. Raises
    ModelError, with nothing changed, for what no training of `model` can have saved.
    """
    path = checkpoint.path / TRAINING_TENSORS
    arrays = checkpoint.training_tensors(partial(expected_training, model))
    _check_moments(arrays, checkpoint.step, path)
    _restore_random_state(arrays[RANDOM], path)
    device = next(model.parameters()).device
    if device.type == "cuda" and CUDA_RANDOM in arrays:
        _restore_random_state_of(device, arrays[CUDA_RANDOM], path)
    restore_moments(arrays, model, optimizer)
    return carried(arrays, device), arrays


def restore_moments(
    arrays: Mapping[str, np.ndarray], model: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Put the moments of an optimizer back that `training_arrays` has told; those of another are left out.

    Those that are not told begin anew. Tensors that are there keep their address, which a CUDA graph knows.
    """
    for moments in optimizer.state.values():
        for moment in filter(torch.is_tensor, moments.values()):
            moment.zero_()
    for name, parameter in model.named_parameters():
        keys = {key: f"optimizer.{name}.{key}" for key in MOMENTS[type(optimizer)]}
        if arrays.keys() >= set(keys.values()):
            held = optimizer.state[parameter]
            for key, saved in keys.items():
                moment = torch.from_numpy(arrays[saved].copy())
                held[key] = held[key].copy_(moment) if key in held else moment.to(parameter.device)


def carried(arrays: Mapping[str, np.ndarray], device: torch.device) -> Layers | None:
    """Return the state that `training_arrays` was given, None if there was none."""
    layers: dict[int, dict[int, torch.Tensor]] = {}
    for key, value in arrays.items():
        if key.startswith("carry."):
            _, index, part = key.split(".")
            layers.setdefault(int(index), {})[int(part)] = torch.from_numpy(value.copy()).to(device)
    return [tuple(state[part] for part in sorted(state)) for _, state in sorted(layers.items())] or None


def _check_moments(arrays: Mapping[str, np.ndarray], updates: int, path: Path) -> None:
    """Raise ModelError for numbers that no optimizer has after so many updates, and that make others nan."""
    for name, array in arrays.items():
        if name.endswith(".exp_avg_sq") and name.startswith("optimizer.") and (array < 0).any():
            raise ModelError(f"{path}: {name!r} is a mean of squares, and negative; copy it again")
        if name.endswith(".step") and name.startswith("optimizer.") and not 1 <= array <= updates:
            raise ModelError(f"{path}: {name!r} is {array}, of {updates} updates; copy it again")


def _restore_random_state(content: np.ndarray, path: Path) -> None:
    """Set PyTorch's generator, a Mersenne twister. Raises ModelError for a state that it cannot be in."""
    # It counts down how many of its numbers are left, and up which is the next. PyTorch holds each below 625,
    # but not both against each other, and would read past the last number.
    left, following = content[8:12].view(np.int32).item(), content[16:24].view(np.uint64).item()
    try:
        if left + following != 625 and (left, following) != (1, 0):
            raise RuntimeError(f"{left} numbers left after {following} of 624")
        torch.set_rng_state(torch.from_numpy(content))
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path}: {RANDOM!r} is no state of the random generator: {reason}") from error


def _restore_random_state_of(device: torch.device, content: np.ndarray, path: Path) -> None:
    """Set a GPU's generator. Raises ModelError for a state that it cannot be in."""
    try:
        torch.cuda.set_rng_state(torch.from_numpy(content), device)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path}: {CUDA_RANDOM!r} is no state of a GPU's generator: {reason}") from error
