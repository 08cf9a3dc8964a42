"""Experiment trackers that listen to a training: TensorBoard, MLflow, Weights & Biases.

Each is a package of its own, imported when it is asked for. A tracker that fails, as where a server is gone,
ends with a line for the user; the training goes on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, get_args

from seqrnn.config import KEYS, Config, value_of
from seqrnn.errors import UsageError
from seqrnn.training.events import Evaluated, Event, Stepped

TrackerName = Literal["tensorboard", "mlflow", "wandb"]
NAMES: Final[tuple[TrackerName, ...]] = get_args(TrackerName)
STEPS_BETWEEN = 10  # updates of which one is told
PROJECT = "seqrnn"  # the experiment, or project, that runs belong to

Scalars = Mapping[str, float]


class Tracker(ABC):
    """What keeps the figures of one training."""

    package: ClassVar[str]

    @abstractmethod
    def __init__(self, run: Path, config: Config) -> None:
        """Begin with the run directory and its settings."""

    @abstractmethod
    def write(self, step: int, scalars: Scalars) -> None:
        """Keep figures after so many updates."""

    @abstractmethod
    def close(self) -> None:
        """Wait until all is kept."""


class TensorBoard(Tracker):
    """Event files in the directory `tensorboard` of a run, which TensorBoard shows."""

    package = "tensorboard"

    def __init__(self, run: Path, config: Config) -> None:
        self._writer = import_module("torch.utils.tensorboard").SummaryWriter(str(run / "tensorboard"))
        settings = "\n".join(f"    {name}: {value}" for name, value in _settings(config).items())
        self._writer.add_text("settings", settings)

    def write(self, step: int, scalars: Scalars) -> None:
        """Add a point to each curve."""
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is held."""
        self._writer.close()


class MLflow(Tracker):
    """A run of the experiment `seqrnn`, on the server or in the directory that MLflow is set to."""

    package = "mlflow"

    def __init__(self, run: Path, config: Config) -> None:
        self._mlflow = import_module("mlflow")
        self._mlflow.set_experiment(PROJECT)
        self._mlflow.start_run(run_name=run.name)
        self._mlflow.log_params(_settings(config))

    def write(self, step: int, scalars: Scalars) -> None:
        """Log metrics."""
        self._mlflow.log_metrics(dict(scalars), step=step)

    def close(self) -> None:
        """End the run."""
        self._mlflow.end_run()


class WeightsAndBiases(Tracker):
    """A run of the project `seqrnn`, as the environment (WANDB_MODE, WANDB_PROJECT ...) says."""

    package = "wandb"

    def __init__(self, run: Path, config: Config) -> None:
        self._run = import_module("wandb").init(project=PROJECT, name=run.name, config=_settings(config))

    def write(self, step: int, scalars: Scalars) -> None:
        """Log figures."""
        self._run.log(dict(scalars), step=step)

    def close(self) -> None:
        """Send what is held."""
        self._run.finish()


TRACKERS: Final[Mapping[str, type[Tracker]]] = {
    "tensorboard": TensorBoard,
    "mlflow": MLflow,
    "wandb": WeightsAndBiases,
}


def check_trackers(names: Sequence[str]) -> None:
    """Raise UsageError for a tracker that is not known, or whose package is missing."""
    for name in names:
        if name not in TRACKERS:
            raise UsageError(f"`log={name}`: no such tracker; choose from {', '.join(NAMES)}")
        package = TRACKERS[name].package
        if find_spec(package) is None:
            raise UsageError(f"`log={name}`: needs {package}; install it with: pip install 'seqrnn[{name}]'")


def tracked(
    events: Iterable[Event], names: Sequence[str], run: Path, config: Config, say: Callable[[str], None]
) -> Iterator[Event]:
    """Hand on the events of a training, and tell the trackers of these `names`; `say` tells what failed."""
    trackers: dict[str, Tracker] = {}

    def attempt(name: str, act: Callable[[], Any]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - whatever a package raises, the training goes on
            lost = trackers.pop(name, None)
            say(f"{name} keeps nothing more of this training: {type(error).__name__}: {error}")
            if lost is not None:
                with suppress(Exception):
                    lost.close()

    def open_one(name: str) -> None:
        trackers[name] = TRACKERS[name](run, config)

    for name in dict.fromkeys(names):
        attempt(name, lambda name=name: open_one(name))  # type: ignore[misc]
    try:
        for event in events:
            if (told := scalars(event)) is not None:
                for name, tracker in list(trackers.items()):
                    attempt(name, lambda tracker=tracker: tracker.write(*told))  # type: ignore[misc]
            yield event
    finally:
        for name, tracker in list(trackers.items()):
            attempt(name, tracker.close)


def scalars(event: Event) -> tuple[int, Scalars] | None:
    """Return the step of an event and its figures, or None where it has none to keep."""
    match event:
        case Stepped() if event.step % STEPS_BETWEEN == 0 and not event.skipped:
            told = {"loss": event.loss, "learning_rate": event.learning_rate, "epoch": event.epoch}
            return event.step, {f"train/{name}": value for name, value in told.items()}
        case Evaluated():
            figures = {f"valid/{k}": float(v) for k, v in event.metrics.items() if isinstance(v, int | float)}
            return event.step, {**figures, "train/mean_loss": event.train_loss}
    return None


def _settings(config: Config) -> dict[str, Any]:
    """Return every setting by its dotted key."""
    return {key: value_of(config, key) for key in KEYS}
