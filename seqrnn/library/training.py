"""From settings to a training under way: what `seqrnn train` and `seqrnn.train` share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqrnn.config_file import Layer, Setting
from seqrnn.errors import UsageError
from seqrnn.library.final_test import final_test
from seqrnn.library.given_settings import ConfigSource, from_config, from_keywords
from seqrnn.library.installed import require_training
from seqrnn.library.length_choices import fitted_to_budget, fitted_to_passes
from seqrnn.library.model_card import write_model_card
from seqrnn.library.plan import Plan, continued, inherited, plan_training

if TYPE_CHECKING:
    from seqrnn.answering.opened_run import OpenedRun
    from seqrnn.data.dataset.prepare import PreparedData
    from seqrnn.data.dataset.progress import Preparing
    from seqrnn.library.public_model import Model
    from seqrnn.metrics.evaluation import Evaluation, Figures
    from seqrnn.run.checkpoint import Checkpoint
    from seqrnn.tasks.task import Task
    from seqrnn.training.events import Evaluated, Event
    from seqrnn.training.session import RunTarget, Session
    from seqrnn.training.worker_processes import WorkerProcesses

Data = str | os.PathLike[str]
Callback = Callable[["Event | Preparing"], Any]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """A training that has ended, and the run directory that it filled.

    `step` counts the updates made, `seconds` the time they took; `reason` says why there were no more.
    `figures` are those of the best weights on the validation data, empty where there are none or the training
    was stopped; `test` is how good they are on the data of the setting `test`, if there is one. `history`
    holds every evaluation, and `notes` what was inferred and found in the data.
    """

    path: Path
    task: str
    step: int
    seconds: float
    reason: str
    figures: Figures
    test: Evaluation | None = None
    history: tuple[Evaluated, ...] = ()
    notes: tuple[str, ...] = ()

    def load(self) -> Model:
        """Open the model that was trained; see `seqrnn.load`."""
        from seqrnn.library.public_model import load

        return load(self.path)


def train(
    data: Data | Iterable[Data] | None,
    output: Data,
    *,
    config: ConfigSource | Iterable[ConfigSource] = (),
    callback: Callback | None = None,
    overwrite: bool = False,
    resume: bool = False,
    init_from: Data | None = None,
    workers: int = 1,
    **settings: Any,
) -> TrainingResult:
    """Train a model on files, in the run directory `output`.

    `data` are the files to train on, None where the settings name them (`source` and `target`) or the run is
    resumed. `settings` are the keys of the YAML by name (`hidden_size=64`, `steps=100`, `valid="dev.tsv"`);
    those of `config`, YAML files or mappings like them, come first. What is not given is decided as by
    `seqrnn train`: from the data, and by the task's defaults.

    With several `workers` so many processes of this machine train together, each on its share of every batch:
    this one and others that it starts, which end with the training.

    `callback` hears `Preparing` and every `Event`, as they come; one that returns True ends the training,
    saved, after the update under way, and what it raises ends it at once. Nothing is printed, and PyTorch's
    threads and random state are as before afterwards. Raises the errors of `seqrnn.errors`, among them
    AmbiguousDataError where the data can be read in several ways: its `readings` are settings to choose from.
    """
    require_training("`train()`")
    from seqrnn.library.data_parallel import check_count, check_together, led

    modes = {"resume": resume, "overwrite": overwrite, "init_from": init_from}
    began = time.monotonic()
    path, parent = Path(output), None if init_from is None else Path(init_from)
    check_output(path, modes, False)
    check_count(workers)
    plan = _plan(data, config, settings, (path if resume else None, parent))
    check_together(workers, plan.config)
    notes: list[str] = []
    with led(workers) as processes, ExitStack() as kept:
        begun = begin(plan, path if resume else parent, resume, notes.append, callback or _ignored)
        test = kept.enter_context(final_test(plan, begun.prepared.fields))
        from seqrnn.training.isolation import settings_restored
        from seqrnn.training.session import RunTarget

        with settings_restored():
            target = RunTarget(path, overwrite, resume)
            session = _session(begun, processes, began, notes.append)
            notes += session.descriptions()
            result = _followed(session, target, callback or _ignored, notes)
            if test is not None and result.figures:
                result = replace(result, test=test.measure(path, plan.config.training.device))
            write_model_card(path)
            return result


def check_output(output: Path | None, modes: Mapping[str, Any], only_looking: bool) -> None:
    """Refuse what cannot end well before anything is read."""
    from seqrnn.run.location import check_free

    chosen = [name for name, value in modes.items() if value]
    if len(chosen) > 1 and (modes["resume"] or {"init_from", "folds"} <= {*chosen}):
        named = " and ".join(f"`{name}`" for name in chosen)
        raise UsageError(f"{named} exclude each other; give one of them")
    if output is None and (modes["resume"] or not only_looking):
        raise UsageError("no place for the run; name a directory with `output`")
    if output is not None and not (modes["resume"] or only_looking):
        check_free(output, bool(modes["overwrite"]))


@dataclass(frozen=True)
class Begun:
    """A training whose data are read: what is left is to build its model, in PyTorch.

    `weights` are those that the model takes, of the run at `parent`, to `resume` its training or to begin
    a new one.
    """

    plan: Plan
    task: Task
    prepared: PreparedData
    weights: Checkpoint | None
    parent: Path | None
    resume: bool

    def session(self, processes: WorkerProcesses | None = None, began: float | None = None) -> Session:
        """Build the model. Raises DataError or ModelError where the weights do not fit.

        With `processes` these train it together, and this one leads. The time budget of a new training counts
        from `began`, by `time.monotonic()`.
        """
        from seqrnn.training.session import Session, check_unchanged

        if self.weights is not None and self.resume:
            check_unchanged(self.weights, self.prepared.hashes)
        config = self.plan.config
        workers = None if processes is None else processes.lead(config, self.prepared)
        began = None if self.resume else began
        session = Session(config, self.task, self.prepared, self.weights, workers=workers, began=began)
        if self.parent is not None and not self.resume:
            session.start_from(self.parent)
        return session


def begin(
    plan: Plan,
    parent: Path | None,
    resume: bool,
    say: Callable[[str], None],
    tell: Callable[[Preparing], Any],
) -> Begun:
    """Read the data, and say what they are, a line at a time; what is wrong is told before PyTorch is there.

    `parent` is the run whose weights are taken, to `resume` its training or to start a new one; `tell` hears
    how far the preparation of the data is.
    """
    from seqrnn.data.dataset.prepare import prepare

    weights = _weights(parent, resume, say)
    task, training = plan.task(), plan.readable.training
    if plan.prepared is not None:
        prepared = plan.prepared.read(task.fields)
    else:
        prepared = prepare(plan.readable.data, task.fields, training.seed, training.threads, tell)
    for line in (*plan.decisions(), *prepared.report.lines()):
        say(line)
    return fitted_to_passes(Begun(plan, task, prepared, weights, parent, resume), say)


def layers_of(
    data: Data | Iterable[Data] | None,
    config: ConfigSource | Iterable[ConfigSource],
    settings: Mapping[str, Any],
) -> list[Layer]:
    """Return the settings that a program has given, those that come first being overridden by later ones."""
    configs = [config] if isinstance(config, str | os.PathLike | Mapping) else list(config)
    layers: list[Layer] = [*map(from_config, configs), from_keywords(settings)]
    if data is not None:
        files = [data] if isinstance(data, str | os.PathLike) else list(data)
        layers.append({"data.train": Setting(tuple(map(os.fspath, files)), "data")})
    return layers


def _plan(
    data: Data | Iterable[Data] | None,
    config: ConfigSource | Iterable[ConfigSource],
    settings: Mapping[str, Any],
    begun: tuple[Path | None, Path | None],
) -> Plan:
    """Decide all settings; `begun` is the run to resume, and that whose weights are taken."""
    layers = layers_of(data, config, settings)
    resumed, parent = begun
    if resumed is not None:
        return plan_training(layers, continued(resumed, layers))
    return plan_training(layers, None if parent is None else inherited(parent))


def _weights(begun: Path | None, resume: bool, say: Callable[[str], None]) -> Checkpoint | None:
    """Return the saved weights that a training begins with, those of the run `begun` if there is one."""
    from seqrnn.answering.opened_run import opened
    from seqrnn.run.directory import RunDirectory
    from seqrnn.run.lock import RunLock

    if begun is None:
        return None
    run = RunDirectory.open(begun)
    # A training that goes on there would take the weights away again; it keeps the lock.
    with RunLock(begun) if resume else nullcontext():
        weights = run.newest() if resume else run.best()
    for warning in run.warnings:
        say(warning)
    _check_weights(opened(run, weights))
    return weights


def _check_weights(run: OpenedRun) -> None:
    """Hold weights to the settings of their run, before any data are made as large as those say."""
    from seqrnn.backends.torch.build import expected_parameters

    run.checkpoint.check(expected_parameters(run.config, run.task))


def _session(
    data: Begun, processes: WorkerProcesses | None, began: float, say: Callable[[str], None]
) -> Session:
    """Build the model; of several workers each has its share of the processors, unless that is set."""
    from seqrnn.backends.torch.device import set_threads
    from seqrnn.training.worker_processes import threads_of_each

    if processes is not None:
        set_threads(threads_of_each(processes.ranks.count))
    else:
        data = fitted_to_budget(data, began, say)
    return data.session(processes, began)


def _followed(session: Session, target: RunTarget, callback: Callback, notes: list[str]) -> TrainingResult:
    """Train to the end, or until the callback returns True."""
    from seqrnn.training.events import Evaluated, Finished, Measured

    history: list[Evaluated] = []
    finished, figures = Finished(0, 0.0, ""), {}
    for event in session.train(target):
        match event:
            case Evaluated():
                history.append(event)
            case Finished():
                finished = event
            case Measured():
                figures = dict(event.metrics)
        if callback(event) is True:
            session.trainer.stop("the callback ended it")
    return TrainingResult(
        target.path,
        session.task.name,
        finished.step,
        finished.seconds,
        finished.reason,
        figures,
        history=tuple(history),
        notes=tuple(notes),
    )


def _ignored(_: object) -> None:
    """Hear an event, and do nothing."""
