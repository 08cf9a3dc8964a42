"""From a configuration to a model: the one place where modules meet the configuration."""

from __future__ import annotations

import torch
from torch import nn

from seqrnn.backends.torch.parameters import expected_arrays
from seqrnn.catalog import MODELS, load
from seqrnn.config import Config
from seqrnn.tasks.task import Task


def build_model(config: Config, task: Task) -> nn.Module:
    """Make the untrained model of a task whose fields know their vocabularies."""
    shrink = config.data.lengths != "blank"
    model: nn.Module = load(MODELS[task.model])(config.model, task.sizes(), shrink)
    return model


def expected_parameters(config: Config, task: Task) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return dtype and shape of each parameter that such a model has, by name; takes no memory for them."""
    with torch.device("meta"):
        return expected_arrays(build_model(config, task))


def count_parameters(model: nn.Module) -> int:
    """Count the numbers that training changes."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
