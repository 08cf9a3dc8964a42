"""One training from its prepared data to its last figures: all but the loop."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import nn

from seqrnn.backends.torch.build import build_model, count_parameters, expected_parameters
from seqrnn.backends.torch.device import choose_device, set_threads
from seqrnn.backends.torch.embedding import TokenEmbedding
from seqrnn.backends.torch.parameters import expected_arrays, load_model
from seqrnn.backends.torch.rnn import RNN
from seqrnn.config import Config
from seqrnn.config_file import dump
from seqrnn.data.dataset.prepare import PreparedData
from seqrnn.data.fields.field import TextField, vocabulary_files
from seqrnn.data.text.word_vectors import read_vectors
from seqrnn.errors import DataError, ModelError, UsageError
from seqrnn.metrics.evaluation import Figures
from seqrnn.run.checkpoint import Checkpoint
from seqrnn.run.directory import RunDirectory
from seqrnn.run.lock import RunLock
from seqrnn.run.manifest import RootFile
from seqrnn.strict_json import parse_object
from seqrnn.tasks.task import Task
from seqrnn.training.evaluation import EvaluationOptions, evaluate
from seqrnn.training.events import Evaluated, Event, Measured
from seqrnn.training.state import SavedState
from seqrnn.training.trainer import Trainer
from seqrnn.training.workers import Workers

NOTABLE = 1.1
"""Times the usual learning rate, from which on it is told."""


@dataclass(frozen=True)
class RunTarget:
    """Where a training is kept, and what may be there already."""

    path: Path
    overwrite: bool = False
    resume: bool = False


class Session:
    """A model with its data; `train` trains it in a run directory."""

    def __init__(
        self,
        config: Config,
        task: Task,
        prepared: PreparedData,
        weights_of: Checkpoint | None = None,
        *,
        workers: Workers | None = None,
        began: float | None = None,
    ) -> None:
        """Make the model, or raise ModelError where the weights that it shall take, `weights_of`, do not fit.

        They are judged first, so that no more memory is taken than they fill. Of several `workers` each has a
        session; those that do not lead get their weights when the training begins. A time budget counts from
        `began`, by `time.monotonic()`, or from now.
        """
        if weights_of is not None:
            weights_of.check(expected_parameters(config, task))
        self.config = config
        self.task = task
        self.prepared = prepared
        set_threads(config.training.threads)
        torch.manual_seed(config.training.seed)
        model = build_model(config, task)
        if config.model.embeddings is not None and (workers is None or workers.leads):
            start_from_vectors(model, task, config.model.embeddings)
        self.model = model.to(choose_device(config.training.device))
        self.trainer = Trainer(config, task, self.model, prepared, workers=workers, began=began)

    def describe(self) -> str:
        """Return the model in one line."""
        model, device = self.config.model, self.trainer.device
        recurrent = [module for module in self.model.modules() if isinstance(module, RNN)]
        both_ways = model.bidirectional and any(rnn.sizes.bidirectional for rnn in recurrent)
        layer = f"{'bidirectional ' if both_ways else ''}{model.cell}" if recurrent else "linear"
        return (
            f"model: {model.num_layers} x {layer} {model.hidden_size}, "
            f"{count_parameters(self.model):,} parameters, {str(self.trainer.dtype).removeprefix('torch.')} "
            f"on {device}"
        )

    def descriptions(self) -> list[str]:
        """Return what there is to say of a training before it begins, a line each."""
        about_loss = self.model.about_loss(self.trainer.objective)
        return list(filter(None, (self.describe(), about_loss, self._describe_rate())))

    def _describe_rate(self) -> str:
        """Return in one line by what the learning rate is higher than usual; nothing where it is not.

        How few the updates of a time budget are, nobody knows yet.
        """
        training, schedule = self.config.training, self.trainer.schedule
        updates = self.trainer.duration.updates(self.trainer.batches_per_epoch / training.accumulate)
        boost = 1.0 if updates is None else schedule.boost(1.0, round(updates))
        if boost < NOTABLE:
            return ""
        return (
            f"learning rate: {boost * schedule.peak:.2g}, {boost:.1f} times the usual one, since "
            f"{updates:,.0f} updates are few"
        )

    def start_from(self, path: Path) -> None:
        """Take the weights of another run's best checkpoint; its sizes and vocabularies must be ours.

        Raises ModelError where they are not.
        """
        run = RunDirectory.open(path)
        best = run.best()
        for name, content in vocabulary_files(self.prepared.fields).items():
            if run.read_text(name) != content:
                raise UsageError(
                    f"`init_from` {path}: its {name} is not that of these data; train from nothing"
                )
        load_model(self.model, best.tensors(expected_arrays(self.model)))
        self.trainer.average.restart()

    def train(self, target: RunTarget) -> Iterator[Event]:
        """Train in a run directory, and measure the best weights at the end; see `opened` and `events`."""
        with self.opened(target) as run:
            yield from self.events(run)

    @contextmanager
    def opened(self, target: RunTarget) -> Iterator[RunDirectory]:
        """Make or open the run directory, and hold its lock; continue what was saved if that is asked for.

        A directory that was made goes again where nothing was saved in it. Raises LockedError where another
        training runs there, and DataError where the data are not those of the run to be resumed.
        """
        run = RunDirectory.open(target.path) if target.resume else self._created(target)
        with RunLock(target.path):
            run.sweep()
            if target.resume:
                self._resume(run)
            try:
                yield run
            except BaseException:
                run.abandon()
                raise

    def events(self, run: RunDirectory) -> Iterator[Event]:
        """Train, keep the evaluations, and measure the best weights at the end.

        Raises OutputError where a checkpoint cannot be saved, NumericError where the loss stays infinite.
        """
        best: Evaluated | None = None
        for event in self.trainer.events(run):
            if isinstance(event, Evaluated):
                run.metrics.append(_line(event))
                best = event if event.best else best
            yield event
        if not self.trainer.stopped:
            yield from self._measured(run, best)

    def _created(self, target: RunTarget) -> RunDirectory:
        files: dict[RootFile, str] = {"config.yaml": dump(self.config)}
        for name, text in vocabulary_files(self.prepared.fields).items():
            files[name] = text
        return RunDirectory.create(target.path, files, target.overwrite)

    def _resume(self, run: RunDirectory) -> None:
        """Continue a run where it was saved. Raises DataError where the data are not those of the run."""
        newest = run.newest()
        check_unchanged(newest, self.prepared.hashes)
        for name, content in vocabulary_files(self.prepared.fields).items():
            found = parse_object(run.read_text(name), run.path / name)  # damage is told first
            if found != json.loads(content):
                raise ModelError(f"{name}: does not fit the data of this run; copy it again, or start anew")
        load_model(self.model, newest.tensors(expected_arrays(self.model)))
        self.trainer.resume(newest)
        run.metrics.cut(newest.step)

    def _measured(self, run: RunDirectory, seen: Evaluated | None) -> Iterator[Measured]:
        """Measure the best weights on the validation data, a text in one stream unless it is huge.

        Where a time budget leaves no time for that, the figures are those that were `seen` in the training.
        """
        if self.prepared.valid is None:
            return
        best = run.best()
        load_model(self.model, best.tensors(expected_arrays(self.model)))
        self.task.calibration = best.calibration
        valid = self.prepared.valid
        options = EvaluationOptions.at_the_end(valid)
        before = EvaluationOptions.in_training(valid, self.config.training.batch_size)
        how = options.beside(before, valid, self.task)
        if seen is not None and seen.step == best.step and not self.trainer.has_time_to_measure():
            run.metrics.append({"step": best.step, "best": True, **seen.metrics})
            notes = (
                (f"figures as in the training: the budget left no time for another measurement ({how})",)
                if how
                else ()
            )
            yield Measured(best.step, seen.metrics, notes=notes)
            return
        evaluation = evaluate(self.model, self.task, valid, options)
        seen_then = _evaluation_at(best.step, run, evaluation.figures) if how else None
        run.metrics.append({"step": best.step, "best": True, **evaluation.figures})
        yield Measured(best.step, evaluation.figures, seen_then, how, evaluation.notes)


def _evaluation_at(step: int, run: RunDirectory, names: Iterable[str]) -> Figures | None:
    """Return the figures of a step's evaluation, as the table of the training showed them."""
    lines = (line for line in reversed(run.metrics.read()) if line["step"] == step and "best" not in line)
    found = next(lines, None)
    return found and {name: found[name] for name in names if name in found}


def start_from_vectors(model: nn.Module, task: Task, path: str) -> None:
    """Fill the embedding from a word-vector file, as far as the file knows the vocabulary.

    Raises DataError where no word is found, UsageError where the size is another or the model has no words.
    """
    field = task.fields[0]
    if not isinstance(field, TextField):
        raise UsageError(f"`model.embeddings` {path}: the {task.name} task reads no words; leave it out")
    vocabulary = field.tokenizer.vocabulary
    table = cast(TokenEmbedding, model.embedding).table.weight
    vectors, ids = read_vectors(path, vocabulary)
    if not len(ids):
        raise DataError(f"{path}: holds none of the {len(vocabulary):,} tokens; is it of the same language?")
    if vectors.shape[1] != table.shape[1]:
        raise UsageError(
            f"`model.embeddings` {path}: has {vectors.shape[1]} dimensions, the model {table.shape[1]}; "
            f"use `model.embedding_size` {vectors.shape[1]}"
        )
    with torch.no_grad():
        table[torch.from_numpy(ids)] = torch.from_numpy(vectors)


def check_unchanged(saved: Checkpoint, found: Mapping[str, str]) -> None:
    """Raise DataError unless the files have the hashes `found` that a training was saved with."""
    written = SavedState.read(saved).data
    for name in sorted({*written, *found}):
        if written.get(name) != found.get(name):
            raise DataError(
                f"{name}: differs (sha256) from the data that this run began with; "
                "put them back, or start anew with `init_from`"
            )


def _line(event: Evaluated) -> dict[str, object]:
    """A line of metrics.jsonl."""
    return {
        "step": event.step,
        "epoch": event.epoch,
        "seconds": round(event.seconds, 3),
        "train_loss": event.train_loss,
        "learning_rate": event.learning_rate,
        **{key: value for key, value in event.metrics.items() if key not in {"task", "examples", "tokens"}},
    }
