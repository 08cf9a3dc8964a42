"""A model, and a training in full, as named arrays that a generation can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from seqrnn.engine.rnn import Layers

Arrays = dict[str, np.ndarray]


def model_arrays(model: nn.Module) -> Arrays:
    """Return the parameters by name; a shared one stands once."""
    return {name: p.detach().cpu().numpy() for name, p in model.named_parameters()}


def expected_arrays(model: nn.Module) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return dtype and shape of each parameter by name, also of a model on the meta device."""
    return {name: ("float32", tuple(p.shape)) for name, p in model.named_parameters()}


@torch.no_grad()
def load_model(model: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Fill the parameters from arrays of the same names and shapes."""
    for name, parameter in model.named_parameters():
        parameter.copy_(torch.from_numpy(arrays[name]))


def training_arrays(model: nn.Module, optimizer: torch.optim.Optimizer, carry: Layers | None) -> Arrays:
    """Return what a training needs beside the weights: optimizer, random state, carried state."""
    arrays: Arrays = {"rng": torch.get_rng_state().numpy()}
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, torch.Tensor):
                arrays[f"optimizer.{name}.{key}"] = value.detach().cpu().numpy()
    for index, state in enumerate(carry or []):
        for part, array in enumerate(state):
            arrays[f"carry.{index}.{part}"] = array.detach().float().cpu().numpy()
    return arrays


def load_training(
    arrays: Mapping[str, np.ndarray], model: nn.Module, optimizer: torch.optim.Optimizer
) -> Layers | None:
    """Put the optimizer and the random state back; return the carried state."""
    torch.set_rng_state(torch.from_numpy(arrays["rng"]))
    for name, parameter in model.named_parameters():
        prefix = f"optimizer.{name}."
        state: dict[str, Any] = {
            key.removeprefix(prefix): torch.from_numpy(value.copy()).to(parameter.device)
            for key, value in arrays.items()
            if key.startswith(prefix)
        }
        if state:
            optimizer.state[parameter] = state
    layers: dict[int, dict[int, torch.Tensor]] = {}
    device = next(model.parameters()).device
    for key, value in arrays.items():
        if key.startswith("carry."):
            _, index, part = key.split(".")
            layers.setdefault(int(index), {})[int(part)] = torch.from_numpy(value.copy()).to(device)
    return [tuple(state[part] for part in sorted(state)) for _, state in sorted(layers.items())] or None
