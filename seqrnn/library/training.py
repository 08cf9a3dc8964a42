"""From settings to a training under way: what `seqrnn train` and `seqrnn.train` share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqrnn.config_file import Layer, Setting
from seqrnn.errors import UsageError
from seqrnn.library.plan import Plan, continued, inherited, plan_training
from seqrnn.library.results import TrainingResult
from seqrnn.library.settings import ConfigSource, from_config, from_keywords
from seqrnn.library.spelling import spelled_for_python

if TYPE_CHECKING:
    from seqrnn.data.dataset.progress import Preparing
    from seqrnn.engine.events import Event
    from seqrnn.engine.session import Place, Session
    from seqrnn.run.generation import Generation

Data = str | os.PathLike[str]
Callback = Callable[["Event | Preparing"], Any]


def train(
    data: Data | Iterable[Data] | None,
    output: Data,
    *,
    config: ConfigSource | Iterable[ConfigSource] = (),
    callback: Callback | None = None,
    overwrite: bool = False,
    resume: bool = False,
    init_from: Data | None = None,
    **settings: Any,
) -> TrainingResult:
    """Train a model on files, in the run directory `output`.

    `data` are the files to train on, None where the settings name them (`source` and `target`) or the run is
    resumed. `settings` are the keys of the YAML by name (`hidden_size=64`, `steps=100`, `valid="dev.tsv"`);
    those of `config`, YAML files or mappings like them, come first. What is not given is decided as by
    `seqrnn train`: from the data, and by the task's defaults.

    `callback` hears `Preparing` and every `Event`, as they come; one that returns True ends the training,
    saved, after the update under way, and what it raises ends it at once. Nothing is printed, and PyTorch's
    threads and random state are as before afterwards. Raises the errors of `seqrnn.errors`, among them
    AmbiguousDataError where the data can be read in several ways: its `readings` are settings to choose from.
    """
    with spelled_for_python():
        modes = {"--resume": resume, "--overwrite": overwrite, "--init-from": init_from}
        path, begun = Path(output), None if init_from is None else Path(init_from)
        check_place(path, modes, False)
        plan = _plan(data, config, settings, (path if resume else None, begun))
        from seqrnn.engine.isolation import settings_restored
        from seqrnn.engine.session import Place

        notes: list[str] = []
        hear = callback or _ignored
        with settings_restored():
            session = open_session(plan, path if resume else begun, resume, notes.append, hear)
            return _followed(session, Place(path, overwrite, resume), hear, notes)


def check_place(output: Path | None, modes: Mapping[str, Any], only_looking: bool) -> None:
    """Refuse what cannot end well before anything is read."""
    from seqrnn.run.location import check_free

    chosen = [flag for flag, value in modes.items() if value]
    if modes["--resume"] and len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} exclude each other; give one of them")
    if output is None and (modes["--resume"] or not only_looking):
        raise UsageError("no place for the run; name a directory with -o")
    if output is not None and not (modes["--resume"] or only_looking):
        check_free(output, bool(modes["--overwrite"]))


def open_session(
    plan: Plan,
    begun: Path | None,
    resume: bool,
    say: Callable[[str], None],
    tell: Callable[[Preparing], Any],
) -> Session:
    """Read the data and build the model, and say what they are, a line at a time.

    `begun` is the run whose weights it takes, to `resume` its training or to start a new one; `tell` hears
    how far the preparation of the data is.
    """
    from seqrnn.data.dataset.prepare import prepare

    weights = _weights(begun, resume, say)
    task = plan.task()
    training = plan.readable.training
    prepared = prepare(plan.readable.data, task.fields, training.seed, training.threads, tell)

    # torch: what is wrong with the data is told before
    from seqrnn.engine.session import Session, check_unchanged

    if weights is not None and resume:
        check_unchanged(weights, prepared.hashes)
    session = Session(plan.config, task, prepared, weights)
    told = (*plan.inference.lines(), plan.tokens, f"shape: {task.shape()}", *prepared.report.lines())
    for line in filter(None, (*told, session.describe())):
        say(line)
    if begun is not None and not resume:
        session.start_from(begun)
    return session


def _plan(
    data: Data | Iterable[Data] | None,
    config: ConfigSource | Iterable[ConfigSource],
    settings: Mapping[str, Any],
    begun: tuple[Path | None, Path | None],
) -> Plan:
    """Decide all settings; `begun` is the run to resume, and that whose weights are taken."""
    configs = [config] if isinstance(config, str | os.PathLike | Mapping) else list(config)
    layers: list[Layer] = [*map(from_config, configs), from_keywords(settings)]
    if data is not None:
        files = [data] if isinstance(data, str | os.PathLike) else list(data)
        layers.append({"data.train": Setting(tuple(map(os.fspath, files)), "data")})
    resumed, parent = begun
    if resumed is not None:
        return plan_training(layers, continued(resumed, layers))
    return plan_training(layers, None if parent is None else inherited(parent))


def _weights(begun: Path | None, resume: bool, say: Callable[[str], None]) -> Generation | None:
    """Return the saved weights that a training begins with, those of the run `begun` if there is one."""
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
    _check_weights(weights, begun)
    return weights


def _check_weights(weights: Generation, begun: Path) -> None:
    """Hold weights to the settings of their run, before any data are made as large as those say."""
    from seqrnn.answering.opened_run import open_run
    from seqrnn.engine.build import expected_parameters

    opened = open_run(begun)
    weights.check(expected_parameters(opened.config, opened.task))


def _followed(session: Session, place: Place, callback: Callback, notes: list[str]) -> TrainingResult:
    """Train to the end, or until the callback returns True."""
    from seqrnn.engine.events import Evaluated, Finished, Measured

    history: list[Evaluated] = []
    finished, figures = Finished(0, 0.0, ""), {}
    for event in session.train(place):
        match event:
            case Evaluated():
                history.append(event)
            case Finished():
                finished = event
            case Measured():
                figures = dict(event.metrics)
        if callback(event) is True:
            session.trainer.stop("the callback ended it")
    told = figures, tuple(history), tuple(notes)
    return TrainingResult(
        place.path, session.task.name, finished.step, finished.seconds, finished.reason, *told
    )


def _ignored(_: object) -> None:
    """Hear an event, and do nothing."""
