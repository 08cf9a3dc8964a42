"""One update of the weights: from batches to a step of the optimizer, skipped where it is not finite."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from seqrnn.backends.torch.backend import to_tensors
from seqrnn.backends.torch.device import autocast
from seqrnn.backends.torch.loss import Objective, Output
from seqrnn.backends.torch.rnn import Layers
from seqrnn.data.dataset.batching import Batch
from seqrnn.training.averaging import WeightAverage
from seqrnn.training.workers import Workers


class Outcome(NamedTuple):
    """What came of an update: the mean loss, and whether it was made.

    `tokens` and `positions` are those of all workers, None where there is one, who knows them.
    """

    loss: float
    made: bool
    tokens: float | None = None
    positions: float | None = None


@dataclass(frozen=True)
class Learner:
    """What an update needs and changes."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    average: WeightAverage
    objective: Objective
    dtype: torch.dtype  # of the computation
    clip: float  # largest norm of the gradient
    workers: Workers = field(default_factory=Workers)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    def loss_of(self, batch: dict[str, Tensor], carry: Layers | None) -> tuple[Tensor, Layers | None]:
        """Return the summed loss of a batch, and the state that the next segment continues from."""
        with autocast(self.device, self.dtype):
            output: Output = self.model(batch, carry, self.objective)
        assert output.loss is not None
        return output.loss.total, output.carry


class Updater:
    """Makes updates on the CPU, each of which is over when its method returns.

    `carry` is the state that the next segment of a text continues from.
    """

    lag: ClassVar[int] = 0
    """Updates that may be under way, their losses not known yet, while another one begins."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self.carry: Layers | None = None
        self._results: deque[Outcome] = deque()

    def update(self, group: list[Batch], rate: float, step: int) -> None:
        """Make update number `step` from the gradients of a few batches, with a learning rate.

        The loss is a sum over all targets, divided by their number: batches count by their targets, and so do
        the shares of several workers.
        """
        learner = self.learner
        for parameters in learner.optimizer.param_groups:
            parameters["lr"] = rate
        targets = max(sum(batch.targets for batch in group), 1)
        loss = 0.0
        for batch in (batch for batch in group if not batch.is_empty):
            tensors = to_tensors(batch, learner.device)
            total, self.carry = learner.loss_of(tensors, self._carry_into(batch))
            share = total / targets
            share.backward()  # type: ignore[no-untyped-call]
            loss += share.item()
        loss, *of_all = learner.workers.combine(learner.model, loss, group)
        made = math.isfinite(loss) and self._apply()
        learner.optimizer.zero_grad(set_to_none=True)
        if made:
            learner.average.update(step)
        else:
            self.carry = None
        self._results.append(Outcome(loss, made, *of_all))

    def results(self, lag: int) -> Iterator[Outcome]:
        """Yield what came of each update; wait for all but `lag` of them.

        An update is skipped where the loss or its gradient is not finite; the weights, the moments and the
        average are then as if there had been none, and a carried state begins anew.
        """
        while len(self._results) > lag:
            yield self._results.popleft()

    def _carry_into(self, batch: Batch) -> Layers | None:
        """Return the state to continue from: none where a text starts, or was cut into other streams."""
        if batch.starts or self.carry is None or len(self.carry[0][0]) != len(batch.arrays["lengths"]):
            return None
        return self.carry

    def _apply(self) -> bool:
        """Clip the gradients and update the weights, unless a gradient is not finite."""
        norm = nn.utils.clip_grad_norm_(self.learner.model.parameters(), self.learner.clip)
        if not math.isfinite(norm.item()):
            return False
        self.learner.optimizer.step()
        return True
