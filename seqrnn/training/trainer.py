"""The training loop: a generator of events that printing and plotting listen to."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice

import torch
from torch import nn

from seqrnn.backends.torch.build import count_hashed_parameters, count_parameters
from seqrnn.backends.torch.device import choose_precision
from seqrnn.backends.torch.loss import Objective
from seqrnn.backends.torch.parameters import model_arrays
from seqrnn.backends.torch.rnn import Layers
from seqrnn.catalog import CELLS, load
from seqrnn.config import Config
from seqrnn.data.dataset.batching import Batch, BatchOrder
from seqrnn.data.dataset.columns import Column
from seqrnn.data.dataset.prepare import PreparedData
from seqrnn.errors import ModelError, NumericError
from seqrnn.metrics.evaluation import Evaluation
from seqrnn.run.calibration import Calibration
from seqrnn.run.checkpoint import Checkpoint, Snapshot
from seqrnn.run.directory import RunDirectory
from seqrnn.run.manifest import TRAINING_STATE, Metric
from seqrnn.tasks.task import Task
from seqrnn.training.averaging import WeightAverage
from seqrnn.training.device_updates import DeviceUpdater
from seqrnn.training.duration import Duration
from seqrnn.training.evaluation import (
    EvaluationOptions,
    evaluate,
    has_finite_loss,
    import_libraries,
    passes_beside,
)
from seqrnn.training.evaluation_plan import EvaluationPlan
from seqrnn.training.events import Evaluated, Event, Finished, Saved, Started, Stepped
from seqrnn.training.optimizer import build_optimizer
from seqrnn.training.rollback import ADVICE, Rollback
from seqrnn.training.schedule import Schedule
from seqrnn.training.start import share_start
from seqrnn.training.state import SavedState, TrainerState
from seqrnn.training.threads import ThreadTuner, thread_uses, use_threads
from seqrnn.training.training_arrays import load_training, training_arrays
from seqrnn.training.updates import Learner, Updater
from seqrnn.training.workers import Workers

ENDING = 0.4  # seconds that a command needs after a training, for the model card and to end


class Trainer:
    """Trains one model; `events()` does the work, `stop()` ends it after the update under way.

    All that a resumed training must know is in `state` and in the tensors of model, optimizer, average and
    updater.
    """

    def __init__(
        self,
        config: Config,
        task: Task,
        model: nn.Module,
        prepared: PreparedData,
        *,
        workers: Workers | None = None,
        began: float | None = None,
    ) -> None:
        """Be ready to train; `workers` train the model together, each in a `Trainer` of its own.

        A time budget counts from `began`, by `time.monotonic()`, or from now.
        """
        self.workers = workers or Workers()
        self.config = config.training
        self.task = task
        self.model = model
        self.train_set, self.valid_set = prepared.train, prepared.valid
        self.data_hashes = prepared.hashes  # saved, so that a resumed training can tell a change
        self.state = TrainerState()
        self.device = next(model.parameters()).device
        self.dtype = choose_precision(
            self.config.precision, self.device, load(CELLS[config.model.cell]).torch_kernel
        )
        self.optimizer = build_optimizer(model, self.config)
        self.average = WeightAverage(model, self.config.average)
        self.schedule = Schedule(
            self.config.schedule,
            self.config.learning_rate,
            self.config.warmup,
            warmup_updates=self.config.warmup_updates,
            horizon=self.config.rate_horizon,
        )
        self.objective = self._build_objective()
        self.updater = self._build_updater()
        self._started = time.monotonic()
        around = 0.0 if began is None else self._started - began + ENDING
        self.duration = Duration.of(self.config).shortened(around)
        self.batches_per_epoch = task.batch_count(self.train_set, self.batch_order())
        self.stop_reason: str | None = None
        passes = 0.0 if self.valid_set is None else passes_beside(self.valid_set, self.train_set, task)
        self._plan = EvaluationPlan(self.config, self.duration, self.batches_per_epoch, passes)
        automatic = self.device.type == "cpu" and self.config.threads is None and self.workers.count == 1
        ways = thread_uses(model, torch.get_num_threads()) if automatic else []
        self._threads = ThreadTuner(ways, partial(use_threads, model))
        self._ending = self._cost_of_the_end()
        self.saved_step: int | None = None
        self.probe: Batch | None = None  # the last batch whose loss was finite, or else the last one
        self._begun: deque[tuple[Stepped, Batch]] = deque()  # updates whose losses are not known yet
        self.rollback = Rollback(self)

    def _build_objective(self) -> Objective:
        weights = self.task.class_weights(self.train_set)
        return Objective(
            self.config.label_smoothing,
            None if weights is None else torch.from_numpy(weights).float().to(self.device),
            self.config.sampled_tokens,
        )

    def _build_updater(self) -> Updater:
        learner = Learner(
            self.model,
            self.optimizer,
            self.average,
            self.objective,
            self.dtype,
            self.config.clip or math.inf,
            self.workers,
        )
        return Updater(learner) if self.device.type == "cpu" else DeviceUpdater(learner)

    def stop(self, reason: str) -> None:
        """End the training, saved, after the update under way."""
        self.stop_reason = reason

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self.stop_reason is not None

    def resume(self, checkpoint: Checkpoint) -> None:
        """Continue exactly where a checkpoint was saved; its weights are loaded already."""
        state = SavedState.read(checkpoint)
        if state.batch > sum(map(_max_batches, self.train_set.columns.values())):
            path = checkpoint.path / TRAINING_STATE
            raise ModelError(f"{path}: says batch {state.batch}, which the data do not have; copy it again")
        self.state = state.counters()
        self.schedule.scale = self.state.lr_scale
        self.take_moments(checkpoint)
        self._started -= self.state.seconds
        self.saved_step = checkpoint.step

    def events(self, run: RunDirectory) -> Iterator[Event]:
        """Train until the duration is over, saving checkpoints into `run`.

        A training that is stopped is saved as it is, without an evaluation that an uninterrupted one
        would not have had.
        """
        self.model.train()
        self._import_libraries()
        self._plan.begin(self.state.seconds, self.duration)
        if self.saved_step is None:
            self.rollback.keep_start()
        share_start(self)
        counts = count_parameters(self.model), count_hashed_parameters(self.model)
        yield Started(counts[0], self.state.step, self.fraction() >= 1.0, counts[1])
        groups = self.groups()
        while (reason := self._reason_to_end()) is None:
            if self._evaluation_is_due():
                yield from self._evaluated_or_rolled_back(run)
                continue
            group, started = next(groups), self.seconds()
            rate = self.schedule.rate(self.fraction(), self.state.step)
            self.updater.update(group, self.workers.announce_update(rate), self.state.step + 1)
            self.count_update(group, rate, started)
            yield from self.completed_updates(self.updater.lag)
            if self.rollback.error is not None:
                yield from self._roll_back(run, self.rollback.error)
        yield from self.completed_updates(0)
        self.rollback.require_an_update()
        if not self.stopped and self.state.evaluated != self.state.step:
            yield from self._evaluate_and_save(run)
        elif self.saved_step != self.state.step:
            yield self._save(run)
        self.workers.announce_end()
        yield Finished(self.state.step, self.state.seconds, self.stop_reason or reason)

    def batch_order(self) -> BatchOrder:
        """Return the order of this epoch's batches."""
        shard = self.workers.shard
        return BatchOrder(self.config.seed, self.state.epoch, self.config.batch_size, shard=shard)

    def seconds(self) -> float:
        """Return the time since the training started, without interruptions."""
        return time.monotonic() - self._started

    def fraction(self) -> float:
        """Return the share of the training that is done, 0 to 1."""
        reserve = self._plan.reserve(self._ending)
        return self.duration.fraction(self.seconds(), self._epochs(), self.state.step, reserve)

    def has_time_to_measure(self) -> bool:
        """Whether the time budget, if there is one, allows to measure the best weights once more."""
        return self._plan.has_time(self.seconds(), self._ending)

    def _cost_of_the_end(self) -> float:
        """Return about how many times longer the last evaluation takes than one within the training."""
        if self.valid_set is None:
            return 0.0
        within = EvaluationOptions.in_training(self.valid_set, self.config.batch_size)
        return EvaluationOptions.at_the_end(self.valid_set).cost_beside(within, self.valid_set, self.task)

    def _import_libraries(self) -> None:
        """Import what evaluations need; the time is not the training's, but a time budget has it in it."""
        started = time.monotonic()
        if self.valid_set is not None:
            import_libraries(self.task)
        spent = time.monotonic() - started
        self._started += spent
        self.duration = self.duration.shortened(spent)

    def groups(self) -> Iterator[list[Batch]]:
        """Yield as many batches at a time as share an update, from where the state is, without an end."""
        while True:
            left = islice(self.task.batches(self.train_set, self.batch_order()), self.state.batch, None)
            while group := list(islice(left, self.config.accumulate)):
                yield group
            self.state.epoch, self.state.batch = self.state.epoch + 1, 0

    def _epochs(self) -> float:
        return self.state.epoch + self.state.batch / max(self.batches_per_epoch, 1)

    def _reason_to_end(self) -> str | None:
        """Say why the training is over; None while it is not."""
        if self.stop_reason is not None:
            return self.stop_reason
        if self.fraction() >= 1.0:
            return "the training is complete"
        patience = self.config.early_stopping
        if patience is not None and self.state.evaluations_without_improvement >= patience:
            return f"{patience} evaluations brought nothing better"
        return None

    def count_update(self, group: list[Batch], rate: float, started: float) -> None:
        """Take note of an update that began `started` seconds after the training."""
        state = self.state
        state.step, state.batch, state.seconds = state.step + 1, state.batch + len(group), self.seconds()
        state.learning_rate = rate
        tokens, positions = sum(b.tokens for b in group), sum(b.positions for b in group)
        self._threads.update_took(state.seconds - started, positions)
        begun = Stepped(
            step=state.step,
            epoch=self._epochs(),
            fraction=self.fraction(),
            loss=math.nan,
            learning_rate=rate,
            tokens=tokens,
            padding=padding_share(tokens, positions),
            seconds=state.seconds,
        )
        self._begun.append((begun, group[-1]))

    def completed_updates(self, lag: int) -> Iterator[Stepped]:
        """Yield the updates that are over, waiting for all but `lag` of those that were begun."""
        for outcome in self.updater.results(lag):
            begun, batch = self._begun.popleft()
            self._note_loss(begun, outcome.loss if outcome.made else None, batch)
            if outcome.tokens is not None and outcome.positions is not None:
                begun = replace(
                    begun,
                    tokens=int(outcome.tokens),
                    padding=padding_share(outcome.tokens, outcome.positions),
                )
            yield replace(begun, loss=outcome.loss, skipped=not outcome.made)

    def _note_loss(self, begun: Stepped, loss: float | None, batch: Batch) -> None:
        """Take note of the loss of an update, None if it was skipped."""
        state = self.state
        if (loss is not None or self.probe is None) and not batch.is_empty:
            self.probe = batch
        if loss is None:
            state.skipped_updates += 1
        else:
            state.skipped_updates = 0
            state.loss_sum, state.loss_count = state.loss_sum + loss, state.loss_count + 1
        self.rollback.note(begun, loss)

    def _roll_back(self, run: RunDirectory, error: NumericError) -> Iterator[Event]:
        yield from self.completed_updates(0)
        yield self.rollback.go_back(run, error)

    def take_moments(self, checkpoint: Checkpoint) -> None:
        """Take over all but the weights of a checkpoint: optimizer, average, random and carried state."""
        self.updater.carry, tensors = load_training(checkpoint, self.model, self.optimizer)
        self.average.resume(tensors)

    def _evaluated_or_rolled_back(self, run: RunDirectory) -> Iterator[Event]:
        """Evaluate and save; where the weights turn out to have diverged, go back instead."""
        try:
            yield from self._evaluate_and_save(run)
        except NumericError as error:
            yield from self._roll_back(run, error)

    def _evaluation_is_due(self) -> bool:
        epoch_ended = self.state.batch == self.batches_per_epoch
        gap = self.state.step - self.state.evaluated
        return self._plan.is_due(gap, epoch_ended, self.seconds())

    def _evaluate_and_save(self, run: RunDirectory) -> Iterator[Event]:
        yield from self.completed_updates(0)
        started, metric, calibration = self.seconds(), None, None
        if self.valid_set is not None:
            scorer = self.task.scorer()
            options = EvaluationOptions.in_training(self.valid_set, self.config.batch_size)
            try:
                with self.average.in_place():
                    evaluation = evaluate(self.model, self.task, self.valid_set, options, scorer)
            except NumericError as error:
                raise NumericError(f"step {self.state.step}: {error}") from error
            metric = self.task.metric_of(evaluation.figures)
            yield self._compare(evaluation, metric)
            calibration = scorer.fit_calibration()
        self.state.evaluated = self.state.step
        yield self._save(run, metric, calibration)
        self._plan.measured(self.seconds(), self.seconds() - started)

    def _save(
        self, run: RunDirectory, metric: Metric | None = None, calibration: Calibration | None = None
    ) -> Saved:
        self.state.seconds = self.seconds()
        self._require_finite_loss()
        carry = self.workers.gather(self.model, self.updater.carry)
        with self.average.in_place():
            self._require_finite_loss()
            run.save(self._snapshot(metric, calibration, carry))
        self.saved_step = self.state.step
        self.rollback.forget_start()
        return Saved(self.state.step)

    def _require_finite_loss(self) -> None:
        """Raise NumericError where the weights have diverged, though each of them is a finite number.

        The update before may have done it, and without validation data nobody has looked since.
        """
        if self.probe is not None and not has_finite_loss(self.model, self.probe):
            raise NumericError(
                f"step {self.state.step}: the weights have diverged, their loss is not finite; they are "
                f"not saved, what was saved before is kept; {ADVICE}"
            )

    def _snapshot(
        self, metric: Metric | None, calibration: Calibration | None, carry: Layers | None
    ) -> Snapshot:
        tensors = training_arrays(self.model, self.optimizer, carry)
        return Snapshot(
            step=self.state.step,
            tensors=model_arrays(self.model),
            epoch=self._epochs(),
            metric=metric,
            calibration=calibration,
            training_tensors={**tensors, **self.average.set_aside()},
            training_state={**self.state.content(), "data": self.data_hashes},
        )

    def _compare(self, evaluation: Evaluation, metric: Metric) -> Evaluated:
        """Compare an evaluation with the best so far."""
        state = self.state
        best = Metric(metric.name, state.best, metric.better, state.best_loss)
        better = state.best is None or metric.rank < best.rank
        if better:
            state.best, state.best_loss = metric.value, metric.loss
        state.evaluations_without_improvement = 0 if better else state.evaluations_without_improvement + 1
        self.schedule.observe(state.evaluations_without_improvement)
        state.lr_scale = self.schedule.scale
        train_loss = state.loss_sum / max(state.loss_count, 1)
        state.loss_sum, state.loss_count = 0.0, 0
        return Evaluated(
            step=state.step,
            epoch=self._epochs(),
            seconds=state.seconds,
            train_loss=train_loss,
            metrics=evaluation.figures,
            best=better,
            metric=self.task.metric,
            learning_rate=state.learning_rate,
        )


def padding_share(tokens: float, positions: float) -> float:
    """Return the share of so many computed positions that carried no token."""
    return 1.0 - tokens / max(positions, 1)


def _max_batches(column: Column) -> int:
    """Return more batches than an epoch over a column can have."""
    return len(column) + len(column.values)
