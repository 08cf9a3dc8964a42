"""From a configuration to a model: the one place where modules meet the configuration."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from seqrnn.backends.torch.embedding import SumOfRows
from seqrnn.backends.torch.networks import KINDS, Network
from seqrnn.backends.torch.parameters import expected_arrays
from seqrnn.catalog import NETWORKS, load
from seqrnn.config import Config, ModelConfig
from seqrnn.networks.sizes import NetworkSizes
from seqrnn.tasks.task import Task


def build_model(config: Config, task: Task) -> Network[Any]:
    """Make the untrained model of a task whose fields know their vocabularies."""
    return build_network(task.model, config.model, task.sizes(), shrink=config.data.lengths != "blank")


def build_network(name: str, config: ModelConfig, sizes: NetworkSizes, shrink: bool = True) -> Network[Any]:
    """Make the network `name` of the catalogue."""
    description = load(NETWORKS[name])
    return KINDS[description.learns](description, config, sizes, shrink)


def expected_parameters(config: Config, task: Task) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return dtype and shape of each parameter that such a model has, by name; takes no memory for them."""
    with torch.device("meta"):
        return expected_arrays(build_model(config, task))


def count_hashed_parameters(model: nn.Module) -> int:
    """Count the numbers in the buckets of n-grams."""
    return sum(count_parameters(part) for part in model.modules() if isinstance(part, SumOfRows))


def count_parameters(model: nn.Module) -> int:
    """Count the numbers that training changes."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
