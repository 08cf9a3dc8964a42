"""The running average of the weights, which is measured and saved in place of the last ones.

Updates throw the weights about a good solution; their average lies nearer to it (Polyak and Juditsky
1992), and does so long before the learning rate has fallen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

AVERAGE_INTERVAL = 4  # updates between two steps of the average, which costs as much as reading all weights
AVERAGED = "weights."  # before the name of a weight beside its average


class WeightAverage:
    """Holds the average of a model's weights, or nothing where `decay` is 0.

    `decay` is the share of the average that one update keeps: 0.999 averages over about the last
    thousand updates, fewer at the beginning.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self._trained = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
        self._weights: list[Tensor] = list(self._trained.values()) if decay else []
        self._averages = [weight.clone() for weight in self._weights]

    def restart(self) -> None:
        """Begin with the weights as they are now."""
        for weight, average in zip(self._weights, self._averages, strict=True):
            average.copy_(weight)

    def share(self, step: int) -> float:
        """Return the share of the average that the weights after update number `step` get."""
        if not self._weights or step % AVERAGE_INTERVAL:
            return 0.0
        return 1.0 - min(self._decay, (1 + step) / (10 + step)) ** AVERAGE_INTERVAL

    def update(self, step: int) -> None:
        """Take in the weights after update number `step`."""
        if share := self.share(step):
            torch._foreach_lerp_(self._averages, self._weights, share)

    def take_in(self, share: Tensor) -> None:
        """Take in the weights, with a share that a device knows; with 0 the average stays as it is."""
        for average, weight in zip(self._averages, self._weights, strict=True):
            average.lerp_(weight, share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model have the average inside the context, and its own weights again after it."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def set_aside(self) -> dict[str, np.ndarray]:
        """Return the model's own weights by name, while the average is in their place."""
        pairs = zip(self._trained, self._averages, strict=False)  # there are none without an average
        return {f"{AVERAGED}{name}": weight.cpu().numpy() for name, weight in pairs}

    def resume(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue from a model as it was saved: as its average, if its own weights are in `arrays`."""
        self.restart()
        for name, weight in self._trained.items():
            if (own := arrays.get(f"{AVERAGED}{name}")) is not None:
                weight.copy_(torch.from_numpy(own))

    def _exchange(self) -> None:
        for weight, aside in zip(self._weights, self._averages, strict=True):
            held = weight.clone()
            weight.copy_(aside)
            aside.copy_(held)
