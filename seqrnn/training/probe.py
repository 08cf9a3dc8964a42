"""A few seconds of a training, to tell what all of it would take on this machine."""

from __future__ import annotations

import math
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch

from seqrnn.backends.torch.build import count_parameters
from seqrnn.config import Config, changed
from seqrnn.data.dataset.prepare import PreparedData
from seqrnn.tasks.task import Task
from seqrnn.training.duration import Duration
from seqrnn.training.evaluation import EvaluationOptions, evaluate, import_libraries
from seqrnn.training.evaluation_plan import evaluations_in
from seqrnn.training.events import Stepped
from seqrnn.training.isolation import settings_restored
from seqrnn.training.session import RunTarget, Session

WARM_UP = 3  # updates that also set up what others find there, one for each use of threads
NEVER = 1_000_000_000


class Patience(NamedTuple):
    """How long updates are measured: for `least` seconds and as many `updates`, unless these take `most`."""

    least: float
    updates: int
    most: float


WHOLE = Patience(3.0, 5, 12.0)  # to tell what a training would take
GLANCE = Patience(0.3, 5, 4.0)  # to choose between networks


@dataclass(frozen=True)
class Probe:
    """What was measured: updates over so many tokens, and an evaluation over so many examples.

    `peak_bytes` is the resident memory of the process, `device_bytes` what was allocated on a GPU.
    """

    model: str
    parameters: int
    device: str
    updates: int
    tokens: int
    seconds: float
    batches: int  # of a pass over the training examples that were given
    evaluated: int
    evaluation_seconds: float
    peak_bytes: int
    device_bytes: int


def probe(config: Config, task: Task, prepared: PreparedData) -> Probe:
    """Train for a few seconds on some examples and evaluate once; nothing is kept.

    Raises UsageError where settings do not fit the task, and NumericError as a training does.
    """
    valid = prepared.valid
    session = Session(_endless(config), task, prepared)
    seconds, tokens, peak = _train(session, WHOLE)
    started = time.monotonic()
    if valid is not None:
        import_libraries(task)
        started = time.monotonic()
        evaluate(session.model, task, valid, EvaluationOptions.in_training(valid, config.training.batch_size))
    return Probe(
        model=session.describe(),
        parameters=count_parameters(session.model),
        device=str(session.trainer.device),
        updates=len(seconds),
        tokens=tokens,
        seconds=sum(seconds),
        batches=session.trainer.batches_per_epoch,
        evaluated=len(valid) if valid is not None else 0,
        evaluation_seconds=time.monotonic() - started,
        peak_bytes=max(peak, _resident_bytes()),
        device_bytes=_device_bytes(session.trainer.device),
    )


def _endless(config: Config) -> Config:
    """Return the same training without an end and without evaluations."""
    limits = {"budget": None, "epochs": None, "steps": NEVER, "evaluate_every": NEVER, "early_stopping": None}
    return changed(config, {f"training.{name}": value for name, value in limits.items()})


def seconds_of_update(config: Config, task: Task, prepared: PreparedData) -> float:
    """Return how long an update takes here, by a few of them; nothing is kept.

    It is their median: the first ones of a process may take twenty times as long as the others. The number of
    threads that they try out is not that of the training which comes after them.
    """
    with settings_restored():
        seconds, _, _ = _train(Session(_endless(config), task, prepared), GLANCE)
    return median(seconds)


def _train(session: Session, patience: Patience) -> tuple[list[float], int, int]:
    """Return the seconds of each update that was measured, their tokens, and the largest memory in bytes."""
    took: list[tuple[float, int]] = []  # when each update ended, and its tokens
    peak, started = 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="seqrnn-") as directory:
        events = session.train(RunTarget(Path(directory, "run")))
        for event in events:
            if isinstance(event, Stepped):
                took.append((time.monotonic() - started, event.tokens))
                peak = max(peak, _resident_bytes())
                enough = (
                    len(took) >= WARM_UP + patience.updates
                    and took[-1][0] - took[WARM_UP - 1][0] > patience.least
                )
                if enough or took[-1][0] - took[0][0] > patience.most:
                    break
        events.close()  # type: ignore[attr-defined]
    left_out = min(WARM_UP, len(took) - 1)
    began = took[left_out - 1][0] if left_out else 0.0
    ends, tokens = zip(*took[left_out:], strict=True)
    return [end - start for start, end in pairwise((began, *ends))], sum(tokens), peak


def _resident_bytes() -> int:
    """Return the memory of this process now or, where the system does not tell, the most that it was."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return pages * resource.getpagesize()


def _device_bytes(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0


@dataclass(frozen=True)
class Estimate:
    """What a training would take, by what a probe took; times in seconds, memory in bytes.

    `epochs` and `updates` are those of the whole training, which early stopping may end before.
    """

    how: str
    model: str
    device: str
    parameters: int
    epochs: float
    updates: int
    seconds: float
    seconds_per_epoch: float
    evaluations: int
    seconds_per_evaluation: float
    memory_bytes: int
    device_memory_bytes: int


def estimate(config: Config, found: Probe, growth: tuple[float, float]) -> Estimate:
    """Scale a probe up; training and validation part have `growth` times as many examples as it had."""
    training, of_train, of_valid = config.training, *growth
    batches = max(found.batches * of_train, 1.0)  # of a pass
    a_pass = batches / training.accumulate  # in updates
    an_update = found.seconds / max(found.updates, 1)
    an_evaluation = found.evaluation_seconds * of_valid
    duration = Duration.of(training)
    planned = duration.updates(a_pass)
    updates = math.inf if planned is None else planned
    evaluations = evaluations_in(training, round(batches), updates) if found.evaluated else 0
    seconds = updates * an_update + evaluations * an_evaluation
    if duration.seconds is not None and seconds > duration.seconds:
        seconds, updates = duration.seconds, min(updates, duration.seconds / an_update)
    return Estimate(
        how=f"{found.updates:,} updates in {found.seconds:.1f} s",
        model=found.model,
        device=found.device,
        parameters=found.parameters,
        epochs=updates / a_pass,
        updates=round(updates),
        seconds=seconds,
        seconds_per_epoch=a_pass * an_update,
        evaluations=evaluations,
        seconds_per_evaluation=an_evaluation,
        memory_bytes=found.peak_bytes,
        device_memory_bytes=found.device_bytes,
    )
