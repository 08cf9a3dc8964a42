"""A search for settings within a time budget: successive halving (Jamieson and Talwalkar 2016).

Many trials are trained for a short time each; the best third of them is resumed for three times as long
in all, and so on, until one is left. A trial is a run like any other, so that nothing is trained twice.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from seqrnn.config import Config
from seqrnn.config_file import from_flags, overlaid
from seqrnn.errors import NumericError, UsageError, is_out_of_memory
from seqrnn.library.measuring import with_fields
from seqrnn.library.plan import Plan, task_of
from seqrnn.metrics.evaluation import Figures
from seqrnn.run.directory import RunDirectory
from seqrnn.run.manifest import Metric

if TYPE_CHECKING:
    from seqrnn.library.training import Begun
    from seqrnn.tasks.task import Task
    from seqrnn.training.events import Event
    from seqrnn.training.session import Session

ETA: Final = 3  # of so many trials one is gone on with, for so many times as long
TRIALS: Final = (27, 9, 3)  # at first, the largest number of which each has
MIN_SECONDS: Final = 20.0  # to itself in the first rung
MIN_EXTRA: Final = 0.05  # seconds that a trial trains in a rung at least
RESERVE: Final = 0.1  # share of the time that is kept for what takes longer than planned,
MAX_RESERVE: Final = 2.0  # but no more seconds


@dataclass
class Trial:
    """One choice of settings, and how far its training is.

    `seconds` is the time that it has trained for, `rung` how many rungs it has come through. `failure` says
    why it was given up, where it was.
    """

    number: int
    settings: Mapping[str, Any]
    path: Path
    rung: int = 0
    step: int = 0
    seconds: float = 0.0
    overhead: float = 0.0  # seconds that its last rung took beside training: building, measuring, saving
    metric: Metric | None = None
    figures: Figures = field(default_factory=dict)
    failure: str | None = None

    @property
    def rank(self) -> tuple[Any, ...]:
        """Sorts the best first; what failed comes after what did not, and what was not measured is last."""
        if self.metric is None:
            return True, self.failure is not None, self.number
        return False, self.failure is not None, self.metric.rank, self.number

    @property
    def as_json(self) -> dict[str, Any]:
        """All of it, in values that JSON can hold."""
        failure = {} if self.failure is None else {"failure": self.failure}
        told = {"trial": self.number, "rung": self.rung, "step": self.step, "seconds": round(self.seconds, 3)}
        return {**told, **self.figures, "settings": dict(self.settings), **failure}


@dataclass(frozen=True)
class TrialEvent:
    """What happened in the training of a trial."""

    trial: Trial
    event: Event


@dataclass(frozen=True)
class TrialEnded:
    """A trial has had its time in this rung, numbered from 1, of so many; it is one of `trials`."""

    trial: Trial
    rung: int
    rungs: int
    trials: int


def rung_sizes(trials: int) -> list[int]:
    """Return how many trials each rung has: the third of the one before, until one is left."""
    sizes = [trials]
    while sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // ETA))
    return sizes


def rung_units(first: int, rungs: int) -> list[int]:
    """Return how long a trial trains in each of so many rungs: 1 in rung 0, in each next ETA times in all."""
    return [ETA**rung - (ETA ** (rung - 1) if rung else 0) for rung in range(first, first + rungs)]


def trials_for(seconds: float) -> int:
    """Return how many trials so much time is worth."""
    for trials in TRIALS:
        if seconds / _units(rung_sizes(trials)) >= MIN_SECONDS:
            return trials
    return TRIALS[-1]


def _units(sizes: Sequence[int], first: int = 0) -> int:
    return sum(size * unit for size, unit in zip(sizes, rung_units(first, len(sizes)), strict=True))


class Tuning:
    """Trains trials on the same prepared data until a point in time; `best` is the best one so far."""

    def __init__(
        self,
        plan: Plan,
        data: Begun,
        combinations: Sequence[Mapping[str, Any]],
        workplace: Path,
        deadline: float,
    ) -> None:
        """Take data that were read, which all trials share, and a directory for their runs.

        `deadline` is in seconds of `time.monotonic`. Raises UsageError without validation data, and for
        settings that would need other data.
        """
        if data.prepared.valid is None:
            raise UsageError("a search compares models on validation data; give `data.valid`")
        self._plan, self._prepared, self._fitted = plan, data.prepared, data.task
        self._deadline = deadline
        self._session: Session | None = None
        self._stop_reason: str | None = None
        self.trials = [
            Trial(number, settings, workplace / f"trial-{number}")
            for number, settings in enumerate(combinations, start=1)
        ]
        for trial in self.trials:
            self._check_data(trial)

    def stop(self, reason: str) -> None:
        """End the search after the update under way; what was trained is kept."""
        self._stop_reason = reason
        if self._session is not None:
            self._session.trainer.stop(reason)

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop_reason is not None

    @property
    def ranked(self) -> list[Trial]:
        """All trials, the best first."""
        return sorted(self.trials, key=lambda trial: trial.rank)

    @property
    def best(self) -> Trial | None:
        """The best trial so far, None where none was measured."""
        first = self.ranked[0]
        return None if first.metric is None else first

    def config_of(self, trial: Trial, seconds: float) -> Config:
        """Return the configuration of a trial that trains for so long."""
        from seqrnn.training.duration import budget_of

        settings = {**trial.settings, "training.budget": budget_of(seconds)}
        return overlaid(self._plan.config, from_flags(settings))

    def lasting_config_of(self, trial: Trial) -> Config:
        """Return the configuration of a training with as many updates as a trial had.

        Its seconds would not do: a budget has to pay for the start of the program, too.
        """
        found = overlaid(self._plan.config, from_flags({**trial.settings, "training.steps": trial.step}))
        return replace(found, training=replace(found.training, budget=None, epochs=None))

    def events(self) -> Iterator[TrialEvent | TrialEnded]:
        """Train, rung by rung. Raises NumericError where all trials fail."""
        rung, size, trials = 0, len(self.trials), self.trials
        while True:
            trials, seconds = self._rung(trials[:size], rung)
            rungs = rung + len(rung_sizes(len(trials)))
            for trial in sorted(trials, key=lambda trial: trial.number):
                if self.stopped or time.monotonic() >= self._deadline:
                    return
                for event in self._train(trial, seconds, len(trials) == 1):
                    yield TrialEvent(trial, event)
                trial.rung = rung + 1
                yield TrialEnded(trial, rung + 1, rungs, len(trials))
            if len(trials) == 1 and self.best is not None:
                return
            rung, size, trials = rung + 1, -(-len(trials) // ETA), self._left()

    def _left(self) -> list[Trial]:
        """Return the trials that can be gone on with, the best first. Raises NumericError for none."""
        left = [trial for trial in self.ranked if trial.failure is None]
        if not left:
            first = self.trials[0].failure
            raise NumericError(f"none of {len(self.trials)} trials could be trained; the first: {first}")
        return left

    def _rung(self, trials: list[Trial], rung: int) -> tuple[list[Trial], float]:
        """Return the trials of a rung, and how long each trains now so that time is left for later rungs.

        It is the best one alone where the others would hardly train. The runs of those left out go, but for
        the best of all, which may have failed after it was measured.
        """
        sizes = rung_sizes(len(trials))
        overhead = sum(trial.overhead for trial in trials) / len(trials)
        left = self._deadline - time.monotonic()
        spared = min(left * RESERVE, MAX_RESERVE) + overhead * (
            sum(sizes) + 1
        )  # the best weights are measured once more
        seconds = (left - spared) / _units(sizes, rung) * rung_units(rung, 1)[0]
        if len(trials) > 1 and seconds < overhead:
            return self._rung(trials[:1], rung)
        for trial in self.trials:
            if trial not in trials and trial is not self.best:
                shutil.rmtree(trial.path, ignore_errors=True)
        return trials, max(seconds, MIN_EXTRA)

    def _train(self, trial: Trial, seconds: float, last: bool) -> Iterator[Event]:
        """Train a trial for so many seconds more; take note of it where that fails."""
        started, before = time.monotonic(), trial.seconds
        try:
            yield from self._trained(trial, trial.seconds + seconds, last)
        except (NumericError, UsageError) as error:
            trial.failure = str(error)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            trial.failure = "out of memory"
        self._session = None
        trial.overhead = time.monotonic() - started - (trial.seconds - before)

    def _trained(self, trial: Trial, seconds: float, last: bool) -> Iterator[Event]:
        from seqrnn.training.events import Finished
        from seqrnn.training.session import RunTarget, Session

        config = self.config_of(trial, seconds)
        begun = trial.step > 0
        weights = RunDirectory.open(trial.path).newest() if begun else None
        session = Session(config, self._task(config), self._prepared, weights)
        self._session = session
        with session.opened(RunTarget(trial.path, resume=begun)) as run:
            for event in session.events(run):
                _note(trial, event, session.task)
                yield event
                if time.monotonic() >= self._deadline and not session.trainer.stopped:
                    session.trainer.stop("the time is up")
                if isinstance(event, Finished) and not last:
                    return  # only the winner is measured once more

    def _task(self, config: Config) -> Task:
        return with_fields(task_of(config), self._fitted.fields)

    def _check_data(self, trial: Trial) -> None:
        """Raise UsageError where the settings of a trial make other columns of the data."""
        names = [field.name for field in task_of(self.config_of(trial, 1.0)).fields]
        if names != [field.name for field in self._fitted.fields]:
            keys = ", ".join(trial.settings)
            raise UsageError(f"`search`: one of {keys} changes what is read of the data; leave it out")


def import_trainer() -> None:
    """Import PyTorch and the training, which takes seconds the first time."""
    import_module("seqrnn.training.session")


def _note(trial: Trial, event: Event, task: Task) -> None:
    """Take note of where the training of a trial is, and of its best evaluation."""
    from seqrnn.training.events import Evaluated, Measured, Stepped

    if isinstance(event, Stepped):
        trial.step, trial.seconds = event.step, event.seconds
    elif isinstance(event, Evaluated) and event.best:
        trial.metric, trial.figures = task.metric_of(event.metrics), event.metrics
    elif isinstance(event, Measured):
        trial.figures = event.metrics
