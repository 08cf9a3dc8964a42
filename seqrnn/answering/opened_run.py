"""A run directory, opened to ask its model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from seqrnn.catalog import TASKS, load
from seqrnn.config import Config, changed
from seqrnn.config_file import load_run_config
from seqrnn.data.fields.field import load_fields
from seqrnn.errors import ModelError, UsageError
from seqrnn.run.checkpoint import Checkpoint
from seqrnn.run.directory import RunDirectory
from seqrnn.run.manifest import CONFIG
from seqrnn.tasks.task import Task

MAX_BATCH = {"batch_size": 1024, "batch_tokens": 65_536}
"""Most rows and tokens of a batch, whatever the training had: what is chosen there takes memory here."""


class OpenedRun(Struct, frozen=True):
    """A checkpoint of a run, mostly the best, and all that is needed to build its network and to ask it.

    `directory` is where it is from, with that checkpoint chosen: other files are those that go with it.
    """

    config: Config
    task: Task
    checkpoint: Checkpoint
    directory: RunDirectory

    @property
    def warnings(self) -> Sequence[str]:
        """Lines for the user: which damaged checkpoints were passed over."""
        return self.directory.warnings


def open_run(path: Path, command: str | None = None, newest: bool = False) -> OpenedRun:
    """Open the best checkpoint of a run directory, or the `newest`; trusts nothing in it.

    Raises ModelError for whatever is damaged or does not fit together, and UsageError where the
    model does not answer to the command `command`.
    """
    run = RunDirectory.open(path)
    return opened(run, run.newest() if newest else run.best(), command)


def opened(run: RunDirectory, checkpoint: Checkpoint, command: str | None = None) -> OpenedRun:
    """Open the checkpoint of a run that was chosen last; raises what `open_run` raises."""
    path = run.path
    config = _frugal(load_run_config(run.read_text(CONFIG), str(path / CONFIG)))
    task = _task_of(config, path)
    load_fields(task.fields, run.read_text, path)  # damage is told first
    task.calibration = checkpoint.calibration
    if command is not None and task.command != command:
        raise UsageError(f"{path}: was trained for {task.name}; use `{task.command}()`")
    return OpenedRun(config, task, checkpoint, run)


def _frugal(config: Config) -> Config:
    """Return the configuration without what costs memory and changes no answer: padding, large batches."""
    sizes = {f"training.{key}": min(most, getattr(config.training, key)) for key, most in MAX_BATCH.items()}
    return changed(config, {"data.lengths": "dynamic", **sizes})


def _task_of(config: Config, path: Path) -> Task:
    """Make the task of the run at `path`. Raises ModelError where its settings do not go together."""
    try:
        task: Task = load(TASKS[config.task])(config)
    except UsageError as error:
        raise ModelError(f"{path / CONFIG}: {error}") from error
    return task
