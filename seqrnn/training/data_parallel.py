"""Several processes that train one model together, each on its share of every batch.

All have the same weights and the same order of the data. An update is made of the sum of all gradients over
the number of all targets, as one process would make it of the whole batch. The first worker leads: it alone
knows the run directory, evaluates, saves and watches the time, and tells the others what comes next.

The processes find each other through the environment that torchrun sets (`RANK`, `WORLD_SIZE`, ...).
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch._C._distributed_c10d import Store

from seqrnn.backends.torch.device import choose_device
from seqrnn.backends.torch.rnn import Layers
from seqrnn.data.dataset.batching import Batch, Shard
from seqrnn.errors import UsageError
from seqrnn.training.rendezvous import PATIENCE
from seqrnn.training.shared_sums import SharedSums
from seqrnn.training.training_arrays import Carrying
from seqrnn.training.worker_processes import WorkerRanks, peers
from seqrnn.training.workers import Arrays, Number, Workers

GPU_PATIENCE = timedelta(minutes=10)  # for the gradient of another GPU


class Order(enum.IntEnum):
    """What the leading worker tells the others to do."""

    UPDATE = 0
    GATHER = 1
    RESTART = 2
    END = 3


class DataParallelWorkers(Workers):
    """Workers that are processes, on one machine or several."""

    def __init__(self, store: Store, ranks: WorkerRanks, device: torch.device) -> None:
        """Meet the others; all must call this. Sums are taken by NCCL on GPUs, by Gloo on CPUs."""
        rank, count = ranks.rank, ranks.count
        self.shard = Shard(rank, count)
        self.leads = rank == 0
        self._device = device
        self._store = store
        self._texts = 0  # that were shared
        self._told = torch.zeros(2, dtype=torch.float64)
        self._flat: Tensor | None = None
        self._neighbours: SharedSums | None = None
        self._are_neighbours = device.type == "cpu" and ranks.local_count == count
        with peers():
            dist.init_process_group("gloo", store=store, rank=rank, world_size=count, timeout=PATIENCE)
            gpus = device.type == "cuda"
            self._sums = dist.new_group(backend="nccl", timeout=GPU_PATIENCE) if gpus else dist.group.WORLD

    def close(self) -> None:
        """Leave the others."""
        if self._neighbours is not None:
            self._neighbours.close()
        dist.destroy_process_group()

    def begin(self, arrays: Callable[[], Arrays]) -> Arrays | None:
        """Send arrays by name from the leading worker to the others, which get them."""
        sent = arrays() if self.leads else {}
        kinds = {name: (str(array.dtype), array.shape) for name, array in sent.items()}
        received = {}
        for name, (kind, shape) in json.loads(self.share(json.dumps(kinds))).items():
            array = np.array(sent[name]) if self.leads else np.empty(shape, kind)
            with peers():
                dist.broadcast(torch.from_numpy(array), 0)
            received[name] = array
        return None if self.leads else received

    def share(self, text: str) -> str:
        """Return the text that the leading worker has; all must call this, as often as each other."""
        self._texts += 1  # else a worker could read what was shared before
        key = f"text/{self._texts}"
        with peers():
            if self.leads:
                self._store.set(key, text)
            return str(self._store.get(key).decode())

    def announce_update(self, rate: float) -> float:
        """Have all workers make an update; return its learning rate."""
        self._announce(Order.UPDATE, rate)
        return rate

    def announce_restart(self) -> None:
        """Let the other workers take what this one goes on from."""
        self._announce(Order.RESTART)

    def announce_end(self) -> None:
        """Let the other workers end."""
        self._announce(Order.END)

    def _announce(self, order: Order, rate: float = 0.0) -> None:
        self._told[0], self._told[1] = float(order), rate
        with peers():
            dist.broadcast(self._told, 0)

    def hear(self) -> tuple[Order, float]:
        """Wait for what the leading worker wants done, and for the learning rate."""
        with peers():
            dist.broadcast(self._told, 0)
        order, rate = self._told.tolist()
        return Order(int(order)), rate

    @torch.no_grad()
    def combine(self, model: nn.Module, loss: Number, group: Sequence[Batch]) -> Sequence[Number]:
        """Sum the gradients of all workers, weighted by targets, in one array.

        All get the same sums to the last bit, so that they make the same updates, or skip them.
        """
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        flat = self._buffer(trained)
        numbers = flat[-4:]
        targets, tokens, positions = (
            float(sum(getattr(batch, name) for batch in group)) for name in ("targets", "tokens", "positions")
        )
        gradients: list[Tensor] = [
            p.new_zeros(p.numel()) if p.grad is None else p.grad.flatten() for p in trained
        ]
        torch.cat([*gradients, torch.as_tensor(loss, device=flat.device).reshape(1)], out=flat[:-3])
        flat[:-3] *= targets
        numbers[1:] = torch.tensor([targets, tokens, positions])
        if self._neighbours is not None:
            self._neighbours.sum(flat)
        else:
            self._add_up(flat)
        flat[:-3] /= numbers[1].clamp(min=1.0)
        start = 0
        for parameter in trained:
            parameter.grad = flat[start : start + parameter.numel()].view_as(parameter)
            start += parameter.numel()
        combined = numbers[[0, 2, 3]]
        return tuple(combined) if isinstance(loss, Tensor) else combined.tolist()

    def _buffer(self, trained: Iterable[nn.Parameter]) -> Tensor:
        """Return room for all gradients and, after these, the loss, targets, tokens and positions."""
        if self._flat is None:
            self._flat = torch.zeros(sum(p.numel() for p in trained) + 4, device=self._device)
            if self._are_neighbours:
                self._neighbours = SharedSums.between(
                    len(self._flat), self.shard.index, self.count, self.share, self._agree
                )
        return self._flat

    def _add_up(self, numbers: Tensor) -> None:
        """Replace numbers by their sums over all workers."""
        with peers():
            dist.all_reduce(numbers, group=self._sums)

    def _agree(self, holds: bool) -> bool:
        """Whether something holds for all workers."""
        votes = torch.tensor(float(holds), device=self._device)
        self._add_up(votes)
        return int(votes) == self.count

    @torch.no_grad()
    def gather(self, model: nn.Module, carry: Layers | None) -> Layers | None:
        """Return the states of all streams, and give all workers the leading one's weights once more.

        These are equal already, unless processors of different kinds have rounded them differently.
        """
        if self.leads:
            self._announce(Order.GATHER)
        with peers():
            for parameter in model.parameters():
                dist.broadcast(parameter.data, 0, group=self._sums)
        return self._whole(model, carry)

    def _whole(self, model: nn.Module, carry: Layers | None) -> Layers | None:
        """Put the states of all workers one after the other; None where there are none."""
        if not isinstance(model, Carrying):
            return None
        mine = carry or model.initial(0)
        rows = torch.zeros(self.count, device=self._device)
        rows[self.shard.index] = len(mine[0][0])
        self._add_up(rows)
        counts = [int(count) for count in rows.tolist()]
        start = sum(counts[: self.shard.index])
        whole = model.initial(sum(counts))
        for state, parts in zip(whole, mine, strict=True):
            for all_rows, part in zip(state, parts, strict=True):
                all_rows.zero_()
                all_rows[start : start + len(part)] = part
                self._add_up(all_rows)
        return None if carry is None else whole

    def own(self, whole: Layers | None) -> Layers | None:
        """Return a worker's share of the states of all streams."""
        if whole is None:
            return None
        mine = self.shard.of_streams(len(whole[0][0]))
        return [tuple(part[mine].clone() for part in state) for state in whole]

    def seed_update(self, seed: int, step: int) -> None:
        """Draw the dropout of an update anew: other masks for each worker, the same after a resume."""
        mixed = np.random.SeedSequence([seed, self.shard.index, step]).generate_state(1, np.uint64)[0]
        torch.manual_seed(int(mixed >> np.uint64(1)))


def check_no_group() -> None:
    """Raise UsageError where the program computes with other processes already: PyTorch has one group."""
    if dist.is_initialized():
        raise UsageError("`workers`: this program has a process group of PyTorch already; end that first")


def device_of(name: str, ranks: WorkerRanks) -> torch.device:
    """Return the device of a worker: on a machine with GPUs each worker has one of its own.

    Raises UsageError where these are too few, or where one is named for all.
    """
    device = choose_device(name)
    if device.type != "cuda":
        return device
    if device.index is not None:
        raise UsageError(f"`training.device={name}` is one GPU for all workers; use `training.device=auto`")
    if ranks.local_rank >= torch.cuda.device_count():
        raise UsageError(
            f"{ranks.local_count} workers on a machine with {torch.cuda.device_count()} GPUs; start one a "
            "GPU, or use `training.device=cpu`"
        )
    torch.cuda.set_device(ranks.local_rank)
    return torch.device("cuda", ranks.local_rank)
