"""What a training tells its listeners: the console, the metrics file, a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqrnn.metrics.evaluation import Figures


@dataclass(frozen=True)
class Started:
    """The first update comes next, if there is one."""

    parameters: int
    step: int  # above 0 in a resumed training
    complete: bool  # whether that lasted as long as it should already
    hashed_parameters: int = 0  # of all, those of buckets for n-grams, most of which few data do not reach


@dataclass(frozen=True)
class Stepped:
    """One update of the weights."""

    step: int
    epoch: float
    fraction: float  # share of the training that is done, 0 to 1
    loss: float  # nats a target, of this update's batches
    learning_rate: float
    tokens: int
    padding: float  # share of the computed positions that carried no token
    seconds: float  # since the training started
    skipped: bool = False  # the loss or its gradient was not finite: nothing was changed


@dataclass(frozen=True)
class Evaluated:
    """The model was measured on the validation data."""

    step: int
    epoch: float
    seconds: float
    train_loss: float  # mean over the updates since the evaluation before
    metrics: Figures
    best: bool
    metric: str = "loss"  # the figure that decides what is best
    learning_rate: float = 0.0  # of the last update


@dataclass(frozen=True)
class Saved:
    """A checkpoint is on disk."""

    step: int


@dataclass(frozen=True)
class RolledBack:
    """The training had gone astray, and goes on with the weights of an earlier step and half the rate."""

    step: int
    to_step: int  # 0: as the training began
    learning_rate: float  # the peak of the schedule from now on
    reason: str


@dataclass(frozen=True)
class Finished:
    """The training has ended; `reason` completes the sentence "stopped: ..."."""

    step: int
    seconds: float
    reason: str


@dataclass(frozen=True)
class Measured:
    """The best weights, those of `step`, were measured once more, with all care.

    `as_in_training` are the figures of their evaluation in the training, where that took less care, and
    `how` says what was done otherwise now. `notes` are what a user should know of the figures.
    """

    step: int
    metrics: Figures
    as_in_training: Figures | None = None
    how: str = ""
    notes: Sequence[str] = ()


Event = Measured | Started | Stepped | Evaluated | Saved | RolledBack | Finished
