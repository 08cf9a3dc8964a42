"""The update rules and how the learning rate moves."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


def cosine(fraction: float) -> float:
    """Fall from 1 to 0 along half a cosine (Loshchilov and Hutter 2017)."""
    return 0.5 * (1.0 + math.cos(math.pi * fraction))


def linear(fraction: float) -> float:
    """Fall from 1 to 0 along a line."""
    return 1.0 - fraction


def constant(fraction: float) -> float:  # noqa: ARG001
    """Stay at 1."""
    return 1.0


SHAPES: dict[str, Callable[[float], float]] = {
    "cosine": cosine,
    "linear": linear,
    "constant": constant,
    "plateau": constant,
}


REWARMING = 40  # updates in which the rate rises after the weights were taken back


@dataclass
class Schedule:
    """The learning rate as a function of the share of the training that is done, and of the updates made.

    `scale` is what has become of the rate so far: the plateau schedule halves it each time `patience`
    evaluations in a row bring nothing better, and so does a training that went astray.
    """

    name: str
    peak: float
    warmup: float
    scale: float = 1.0
    patience: int = 2
    began: int = 0  # the update after which the weights were taken back, and the rate rises anew

    def rate(self, fraction: float, updates: int) -> float:
        """Return the learning rate after `fraction` (0 to 1) of the training, of so many updates."""
        done = min(max(fraction - self.warmup, 0.0) / (1.0 - self.warmup), 1.0)
        rise = 0.01 + 0.99 * self._risen(fraction, updates)
        return self.peak * self.scale * rise * SHAPES[self.name](done)

    def observe(self, stale: int) -> None:
        """Take note that `stale` evaluations in a row were not better than the best."""
        if self.name == "plateau" and stale and stale % self.patience == 0:
            self.scale *= 0.5

    def begin_anew(self, updates: int) -> None:
        """Halve the rate, and let it rise to that, after so many updates."""
        self.scale, self.began = 0.5 * self.scale, updates

    def _risen(self, fraction: float, updates: int) -> float:
        """Return how much of the warm-up is over, 0 to 1."""
        share = fraction / self.warmup if self.warmup else 1.0
        again = (updates - self.began) / REWARMING if self.began else 1.0
        return min(share, again, 1.0)
