"""Updates on a GPU, which nobody waits for: the CPU prepares the next ones while it computes.

Whether an update is finite is decided on the device, by numbers instead of branches; its loss is read some
updates later. Where batches of the same shapes come again, the whole update is recorded once as a CUDA graph
and replayed, which takes one call instead of hundreds.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from seqrnn.backends.torch.backend import is_full, to_tensors
from seqrnn.backends.torch.rnn import Layers
from seqrnn.backends.torch.shapes import Paddable, pad_to_multiples
from seqrnn.data.dataset.batching import Batch
from seqrnn.training.training_arrays import Carrying
from seqrnn.training.updates import Learner, Outcome, Updater

MIN_REPEATS = 2  # updates with batches of the same shapes before they are recorded
MAX_GRAPHS = 200  # that are kept


class DeviceUpdater(Updater):
    """Makes updates that are still under way when its methods return."""

    lag: ClassVar[int] = 8

    def __init__(self, learner: Learner) -> None:
        super().__init__(learner)
        device = learner.device
        self._rate, self._targets, self._averaged = (torch.zeros((), device=device) for _ in range(3))
        # Of the last update: its loss, 1 if it was made, and the tokens and positions of several workers.
        self._alone = learner.workers.count == 1
        self._outcome = torch.zeros(2 if self._alone else 4, device=device)
        _keep_on_device(learner.optimizer, self._rate)
        self._pending: deque[tuple[Tensor, torch.cuda.Event | None]] = deque()
        self._seen: Counter[Hashable] = Counter()
        self._graphs: dict[Hashable, StepGraph] = {}
        model: object = learner.model
        self._multiples = model.multiples if isinstance(model, Paddable) else {}
        records = device.type == "cuda" and getattr(learner.model, "recordable", True)
        self._records = records and self._alone

    def update(self, group: list[Batch], rate: float, step: int) -> None:
        """Begin update number `step` from the gradients of a few batches, with a learning rate."""
        self._rate.fill_(rate)
        self._targets.fill_(max(sum(batch.targets for batch in group), 1))
        self._averaged.fill_(self.learner.average.share(step))
        if len(group) == 1 and self._records:
            self._replay_or_compute(pad_to_multiples(group[0], self._multiples))
        else:
            self._compute_all(group)
        self._tell()

    def results(self, lag: int) -> Iterator[Outcome]:
        """Yield what came of each update; wait for all but `lag` of them."""
        while len(self._pending) > lag:
            outcome, event = self._pending.popleft()
            if event is not None:
                event.synchronize()
            loss, made, *of_all = outcome.tolist()
            yield Outcome(loss, bool(made), *of_all)

    def _tell(self) -> None:
        """Have the outcome copied to where it can be read when the update is over."""
        if self._outcome.device.type == "cpu":
            self._pending.append((self._outcome.clone(), None))
            return
        outcome, event = torch.empty(len(self._outcome), pin_memory=True), torch.cuda.Event()  # type: ignore[no-untyped-call]
        outcome.copy_(self._outcome, non_blocking=True)
        event.record()
        self._pending.append((outcome, event))

    def _compute_all(self, group: list[Batch]) -> None:
        loss = torch.zeros_like(self._rate)
        for batch in (batch for batch in group if not batch.is_empty):
            share, self.carry = self.backward(to_tensors(batch, loss.device), self._carry_into(batch))
            loss += share
        loss, *of_all = self.learner.workers.combine(self.learner.model, loss, group)
        self.carry = self.apply(loss, self.carry, of_all)

    def _replay_or_compute(self, batch: Batch) -> None:
        carry = self._carry_into(batch)
        shapes = [(name, array.shape) for name, array in batch.arrays.items()]
        key = (carry is not None, is_full(batch), *shapes)
        graph = self._graphs.get(key)
        if graph is None and (self._seen[key] < MIN_REPEATS or len(self._graphs) >= MAX_GRAPHS):
            self._seen[key] += 1
            self._compute_all([batch])
            return
        if graph is None:
            graph = self._graphs[key] = StepGraph(self, batch, carry, self._pool())
        self.carry = graph.replay(batch, carry)

    def _pool(self) -> Any:
        """Return the memory that all graphs share, since they never run side by side."""
        return next((graph.graph.pool() for graph in self._graphs.values()), None)

    def backward(self, arrays: dict[str, Tensor], carry: Layers | None) -> tuple[Tensor, Layers | None]:
        """Add the gradients of one batch; return its share of the mean loss, and the next state."""
        total, after = self.learner.loss_of(arrays, carry)
        share = total / self._targets
        share.backward()  # type: ignore[no-untyped-call]
        return share.detach(), after

    def apply(self, loss: Tensor, carry: Layers | None, of_all: Sequence[Tensor] = ()) -> Layers | None:
        """Clip the gradients and update the weights, unless the loss or a gradient is not finite.

        `of_all` are the tokens and positions of several workers. Returns the next state, the initial one if
        the update is left out.
        """
        optimizer: Any = self.learner.optimizer
        norm = nn.utils.clip_grad_norm_(self.learner.model.parameters(), self.learner.clip)
        finite = loss.isfinite() & norm.isfinite()
        optimizer.found_inf = (~finite).float()  # the fused kernels leave all as it is where this is 1
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        self.learner.average.take_in(self._averaged * finite)
        self._outcome.copy_(torch.stack([loss, finite.float(), *of_all]))
        if carry is None:
            return None
        return [tuple(torch.where(finite, part, torch.zeros_like(part)) for part in state) for state in carry]


class StepGraph:
    """An update with batches of certain shapes, recorded; its inputs and the states have fixed addresses."""

    def __init__(self, updater: DeviceUpdater, batch: Batch, carry: Layers | None, pool: Any) -> None:
        """Record what `updater` does with `batch`, without doing it."""
        model, device = updater.learner.model, updater.learner.device
        self.graph = torch.cuda.CUDAGraph()
        self._arrays = to_tensors(batch, device)
        self._given = {name for name in batch.arrays if not (name == "lengths" and is_full(batch))}
        rows = len(batch.arrays["lengths"]) if "lengths" in batch.arrays else 0
        self._before = model.initial(rows) if carry is not None and isinstance(model, Carrying) else None
        self._after = model.initial(rows) if isinstance(model, Carrying) else None
        self._before, self._after = _apart(self._before), _apart(self._after)
        with torch.cuda.graph(self.graph, pool=pool):
            loss, after = updater.backward(self._arrays, self._before)
            _copy(updater.apply(loss, after), self._after)

    def replay(self, batch: Batch, carry: Layers | None) -> Layers | None:
        """Do the same with another batch; return the next state."""
        for name in self._given:
            self._arrays[name].copy_(torch.from_numpy(batch.arrays[name]).pin_memory(), non_blocking=True)
        _copy(carry, self._before)
        self.graph.replay()
        return self._after


def _apart(states: Layers | None) -> Layers | None:
    """Give each array of states memory of its own."""
    return None if states is None else [tuple(part.detach().clone() for part in state) for state in states]


def _copy(states: Layers | None, targets: Layers | None) -> None:
    """Copy states to their targets."""
    for state, copied in zip(states or (), targets or (), strict=True):
        for part, target in zip(state, copied, strict=True):
            target.copy_(part)


def _keep_on_device(optimizer: torch.optim.Optimizer, rate: Tensor) -> None:
    """Let an optimizer take its learning rate, and whether to make a step at all, from the device."""
    for parameters in optimizer.param_groups:
        parameters.update(lr=rate, fused=True, capturable=True)
        if parameters.get("momentum"):  # else a first update that is left out would leave it unwritten
            for parameter in parameters["params"]:
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
