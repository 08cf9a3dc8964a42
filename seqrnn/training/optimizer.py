"""The update rules."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from seqrnn.config import TrainingConfig


class _Eager:
    """A mixin: the optimizer's methods without PyTorch's decorators for its compiler.

    Those import the compiler, which takes more than two seconds of CPU and 150 MiB at the start of each
    training, and here nothing is compiled. A test compares the updates with those of the decorated methods.
    """

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        inspect.unwrap(torch.optim.Optimizer.add_param_group)(self, param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        inspect.unwrap(torch.optim.Optimizer.zero_grad)(self, set_to_none)


class AdamW(_Eager, torch.optim.AdamW):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update the parameters."""
        inspect.unwrap(torch.optim.AdamW.step)(self, closure)


class SGD(_Eager, torch.optim.SGD):
    """Stochastic gradient descent, with or without momentum."""

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update the parameters."""
        inspect.unwrap(torch.optim.SGD.step)(self, closure)


MOMENTS: Mapping[type[torch.optim.Optimizer], Mapping[str, bool]] = {
    AdamW: {"step": False, "exp_avg": True, "exp_avg_sq": True},
    SGD: {"momentum_buffer": True},
}
"""The tensors that an optimizer keeps of each parameter: of its shape, or one number."""


def build_optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """Make the optimizer; matrices decay, biases and other vectors do not."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    if config.optimizer == "sgd":
        return SGD(groups, lr=config.learning_rate, momentum=config.momentum)
    return AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.99), fused=True)
