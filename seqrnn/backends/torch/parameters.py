"""The parameters of a model as named arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn


def model_arrays(model: nn.Module) -> dict[str, np.ndarray]:
    """Return the parameters by name; a shared one only once."""
    return {name: p.detach().cpu().numpy() for name, p in model.named_parameters()}


def expected_arrays(model: nn.Module) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return dtype and shape of each parameter by name, also of a model on the meta device."""
    return {name: ("float32", tuple(p.shape)) for name, p in model.named_parameters()}


@torch.no_grad()
def load_model(model: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Fill the parameters from arrays of the same names and shapes."""
    for name, parameter in model.named_parameters():
        parameter.copy_(torch.from_numpy(arrays[name]))
