"""The loop of a worker that does not lead: it makes the updates that it is told to make."""

from __future__ import annotations

from collections import deque

from seqrnn.training.data_parallel import DataParallelWorkers, Order
from seqrnn.training.start import share_start
from seqrnn.training.trainer import Trainer


def run_worker_loop(trainer: Trainer, workers: DataParallelWorkers) -> None:
    """Take part in the training of another worker to its end. Raises what an update raises for all."""
    trainer.model.train()
    share_start(trainer)
    groups = trainer.groups()
    order, rate = workers.hear()
    while order is not Order.END:
        if order is Order.GATHER:
            workers.gather(trainer.model, trainer.updater.carry)
        elif order is Order.RESTART:
            share_start(trainer)
        else:
            group, started, step = next(groups), trainer.seconds(), trainer.state.step + 1
            workers.seed_update(trainer.config.seed, step)
            trainer.updater.update(group, rate, step)
            trainer.count_update(group, rate, started)
            deque(trainer.completed_updates(trainer.updater.lag), maxlen=0)
        order, rate = workers.hear()
