"""The training loop: a generator of events that printing and plotting listen to."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

import torch
from torch import nn

from seqrnn.backends.torch.backend import to_tensors
from seqrnn.backends.torch.build import count_parameters
from seqrnn.backends.torch.device import choose_precision
from seqrnn.backends.torch.loss import Objective, Output
from seqrnn.backends.torch.parameters import model_arrays
from seqrnn.catalog import CELLS, load
from seqrnn.config import Config
from seqrnn.data.dataset.batching import Batch, BatchOrder
from seqrnn.data.dataset.columns import Column, Dataset
from seqrnn.errors import ModelError, NumericError
from seqrnn.run.calibration import Calibration
from seqrnn.run.checkpoint import Checkpoint, Snapshot
from seqrnn.run.directory import RunDirectory
from seqrnn.run.manifest import TRAINING_STATE, Metric
from seqrnn.tasks.task import Task
from seqrnn.training.averaging import WeightAverage
from seqrnn.training.device_updates import DeviceUpdater
from seqrnn.training.duration import Duration
from seqrnn.training.evaluation import EvaluationOptions, evaluate, import_libraries
from seqrnn.training.evaluation_plan import EvaluationPlan
from seqrnn.training.events import Evaluated, Event, Finished, Saved, Started, Stepped
from seqrnn.training.optimizer import Schedule, build_optimizer
from seqrnn.training.position import Position, SavedPosition
from seqrnn.training.threads import ThreadTuner
from seqrnn.training.training_arrays import load_training, training_arrays
from seqrnn.training.updates import Learner, Updater

PATIENCE = 10  # updates in a row that may fail before the training gives up


class Trainer:
    """Trains one model; `events()` does the work, `stop()` ends it after the update under way."""

    def __init__(self, config: Config, task: Task, model: nn.Module, data: tuple[Dataset, Dataset | None]):
        self.config = config.training
        self.task = task
        self.model = model
        self.train_set, self.valid_set = data
        self.device = next(model.parameters()).device
        self.dtype = choose_precision(
            config.training.precision, self.device, load(CELLS[config.model.cell]).torch_kernel
        )
        self.optimizer = build_optimizer(model, config.training)
        self.average = WeightAverage(model, config.training.average)
        self.schedule = Schedule(self.config.schedule, self.config.learning_rate, self.config.warmup)
        self.duration = Duration.of(config.training)
        self.position = Position()
        automatic = self.device.type == "cpu" and config.training.threads is None
        self.threads = ThreadTuner(torch.get_num_threads() if automatic else 1)
        self.data_hashes: Mapping[str, str] = {}  # saved, so that a resumed training can tell a change
        self.batches_per_epoch = task.batch_count(self.train_set, self._pass())
        self._stop_reason: str | None = None
        self._saved: int | None = None  # step of the checkpoint that was saved last
        self._probe: Batch | None = None  # the last batch whose loss was finite, or else the last one
        self._plan = EvaluationPlan(self.config, self.duration, self.batches_per_epoch)
        self._started = time.monotonic()
        self._begun: deque[tuple[Stepped, Batch]] = deque()  # updates whose losses are not known yet
        weights = task.class_weights(self.train_set)
        objective = Objective(
            self.config.label_smoothing,
            None if weights is None else torch.from_numpy(weights).float().to(self.device),
        )
        clip = self.config.clip or math.inf
        learner = Learner(model, self.optimizer, self.average, objective, self.dtype, clip)
        self.updater = Updater(learner) if self.device.type == "cpu" else DeviceUpdater(learner)

    def stop(self, reason: str) -> None:
        """End the training, saved, after the update under way."""
        self._stop_reason = reason

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop_reason is not None

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on exactly where a checkpoint stands; its weights are loaded already."""
        state = SavedPosition.read(checkpoint)
        if state.batch > sum(map(_most_batches, self.train_set.columns.values())):
            place = checkpoint.path / TRAINING_STATE
            raise ModelError(f"{place}: says batch {state.batch}, which the data do not have; copy it again")
        self.position = state.position()
        self.schedule.scale = self.position.scale
        self.updater.carry, tensors = load_training(checkpoint, self.model, self.optimizer)
        self.average.resume(tensors)
        self._started -= self.position.seconds
        self._plan.took_place(self.position.seconds, 0.0)
        self._saved = checkpoint.step

    def events(self, run: RunDirectory) -> Iterator[Event]:
        """Train until the duration is over, saving checkpoints into `run`.

        A training that is stopped is saved as it stands, without an evaluation that an unbroken one
        would not have had.
        """
        self.model.train()
        started = time.monotonic()
        if self.valid_set is not None:
            import_libraries(self.task)
        self._started += time.monotonic() - started
        yield Started(count_parameters(self.model), self.position.step, self._fraction() >= 1.0)
        groups = self._groups()
        while self._reason() is None:
            if self._evaluation_is_due():
                yield from self._evaluate_and_save(run)
            elif group := next(groups, None):
                yield from self._update(group)
            else:
                self.position.epoch, self.position.batch = self.position.epoch + 1, 0
                groups = self._groups()
        yield from self._finished(0)
        if not self.stopped and self.position.evaluated != self.position.step:
            yield from self._evaluate_and_save(run)
        elif self._saved != self.position.step:
            yield from self._save(run)
        yield Finished(self.position.step, self.position.seconds, self._reason() or "")

    def _pass(self) -> BatchOrder:
        return BatchOrder(self.config.seed, self.position.epoch, self.config.batch_size)

    def _groups(self) -> Iterator[list[Batch]]:
        """Yield what is left of this epoch, as many batches at a time as share an update."""
        left = islice(self.task.batches(self.train_set, self._pass()), self.position.batch, None)
        while group := list(islice(left, self.config.accumulate)):
            yield group

    def _epochs(self) -> float:
        return self.position.epoch + self.position.batch / max(self.batches_per_epoch, 1)

    def _fraction(self) -> float:
        self.position.seconds = time.monotonic() - self._started
        return self.duration.fraction(self.position.seconds, self._epochs(), self.position.step)

    def _reason(self) -> str | None:
        """Say why the training is over, or None while it is not."""
        if self._stop_reason is not None:
            return self._stop_reason
        if self._fraction() >= 1.0:
            return "the training is complete"
        patience = self.config.early_stopping
        if patience is not None and self.position.stale >= patience:
            return f"{patience} evaluations brought nothing better"
        return None

    def _update(self, group: list[Batch]) -> Iterator[Stepped]:
        """Make one update of the weights from the gradients of a few batches; yield those that are over."""
        rate = self.schedule.rate(self._fraction())
        started = self.position.seconds
        self.updater.update(group, rate, self.position.step + 1)
        self.position.step += 1
        self.position.batch += len(group)
        tokens, positions = sum(b.tokens for b in group), sum(b.positions for b in group)
        fraction = self._fraction()
        self.threads.update_took(self.position.seconds - started, positions)
        begun = Stepped(
            self.position.step,
            self._epochs(),
            fraction,
            math.nan,
            rate,
            tokens,
            1.0 - tokens / max(positions, 1),
            self.position.seconds,
        )
        self._begun.append((begun, group[-1]))
        yield from self._finished(self.updater.lag)

    def _finished(self, lag: int) -> Iterator[Stepped]:
        """Yield the updates that are over, waiting for all but `lag` of those that were begun."""
        for loss, made in self.updater.results(lag):
            begun, batch = self._begun.popleft()
            self._note(begun.step, loss if made else None, batch)
            yield replace(begun, loss=loss, skipped=not made)

    def _note(self, step: int, loss: float | None, batch: Batch) -> None:
        """Take note of the loss of an update, None if it was left out; give up where nothing finite comes."""
        self.position.failures = 0 if loss is not None else self.position.failures + 1
        if loss is not None or self._probe is None:
            self._probe = batch
        if loss is not None:
            self.position.loss += loss
            self.position.losses += 1
        elif self.position.failures >= PATIENCE:
            raise NumericError(
                f"step {step}: the loss was not finite in {PATIENCE} updates in a row; "
                "the best weights so far are kept; try a lower --learning-rate or a smaller --clip"
            )

    def _evaluation_is_due(self) -> bool:
        epoch_ended = self.position.batch == self.batches_per_epoch
        gap = self.position.step - self.position.evaluated
        return self._plan.is_due(gap, epoch_ended, self.position.seconds)

    def _evaluate_and_save(self, run: RunDirectory) -> Iterator[Event]:
        yield from self._finished(0)
        started = time.monotonic()
        metric: Metric | None = None
        calibration: Calibration | None = None
        if self.valid_set is not None:
            effort = EvaluationOptions.in_training(self.valid_set, self.config.batch_size)
            scorer = self.task.scorer()
            try:
                with self.average.in_place():
                    metrics, _ = evaluate(self.model, self.task, self.valid_set, effort, scorer)
            except NumericError as error:
                raise NumericError(f"step {self.position.step}: {error}") from error
            metric = self._metric(metrics[self.task.metric], metrics["loss"])
            calibration = scorer.fit_calibration()
            yield self._judge(metrics, metric)
        self.position.evaluated = self.position.step
        self._plan.took_place(time.monotonic() - self._started, time.monotonic() - started)
        yield from self._save(run, metric, calibration)

    def _save(
        self, run: RunDirectory, metric: Metric | None = None, calibration: Calibration | None = None
    ) -> Iterator[Event]:
        self.position.seconds = time.monotonic() - self._started
        self._require_finite_loss()
        with self.average.in_place():
            self._require_finite_loss()
            run.save(self._snapshot(metric, calibration))
        self._saved = self.position.step
        yield Saved(self.position.step)

    @torch.no_grad()
    def _require_finite_loss(self) -> None:
        """Raise NumericError where the weights have diverged, though each of them is a finite number.

        The update before may have done it, and without validation data nobody has looked since.
        """
        if self._probe is None:
            return
        self.model.eval()
        output: Output = self.model(to_tensors(self._probe, self.device))
        self.model.train()
        assert output.loss is not None
        if not math.isfinite(output.loss.total.item()):
            raise NumericError(
                f"step {self.position.step}: the weights have diverged, their loss is not finite; they are "
                "not saved, what was saved before is kept; try a lower --learning-rate or a smaller --clip"
            )

    def _snapshot(self, metric: Metric | None, calibration: Calibration | None) -> Snapshot:
        return Snapshot(
            step=self.position.step,
            tensors=model_arrays(self.model),
            epoch=self._epochs(),
            metric=metric,
            calibration=calibration,
            training_tensors={
                **training_arrays(self.model, self.optimizer, self.updater.carry),
                **self.average.set_aside(),
            },
            training_state={**self.position.model_dump(), "data": self.data_hashes},
        )

    def _metric(self, value: float | None, loss: float | None) -> Metric:
        return Metric(name=self.task.metric, value=value, better=self.task.better, loss=loss)

    def _judge(self, metrics: dict[str, Any], metric: Metric) -> Evaluated:
        """Compare an evaluation with the best so far."""
        position = self.position
        better = position.best is None or metric.rank < self._metric(position.best, position.best_loss).rank
        if better:
            position.best, position.best_loss = metric.value, metric.loss
        position.stale = 0 if better else position.stale + 1
        self.schedule.observe(position.stale)
        position.scale = self.schedule.scale
        train_loss = position.loss / max(position.losses, 1)
        position.loss, position.losses = 0.0, 0
        return Evaluated(
            position.step, self._epochs(), position.seconds, train_loss, metrics, better, self.task.metric
        )


def _most_batches(column: Column) -> int:
    """Return more batches than an epoch over a column can have."""
    return len(column) + len(column.values)
