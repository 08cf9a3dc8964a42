"""A run directory, opened to ask its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seqrnn.catalog import TASKS, load
from seqrnn.config import Config
from seqrnn.config_file import load_run_config
from seqrnn.data.fields.field import load_fields
from seqrnn.errors import UsageError
from seqrnn.run.directory import RunDirectory
from seqrnn.run.generation import Generation
from seqrnn.tasks.task import Task

BATCH = {"batch_size": 128, "batch_tokens": 16_384}
"""Least rows and tokens of a batch to answer: without gradients more fit in than training may want."""


@dataclass(frozen=True)
class OpenedRun:
    """The best generation of a run, and all that is needed to build its network and to ask it."""

    config: Config
    task: Task
    generation: Generation
    warnings: Sequence[str]


def open_run(path: Path, verb: str | None = None) -> OpenedRun:
    """Open a run directory; trusts nothing in it. For a `verb`, rows come in batches that suit answers.

    Raises ModelError for whatever is damaged or does not fit together, and UsageError where the
    model does not answer to the command `verb`.
    """
    run = RunDirectory.open(path)
    generation = run.best()
    config = load_run_config(run.read_text("config.yaml"), str(path / "config.yaml"))
    if verb is not None:
        config = _widened(config)
    task: Task = load(TASKS[config.task])(config)
    if verb is not None and task.verb != verb:
        raise UsageError(f"{path}: was trained for {task.name}; use seqrnn {task.verb}")
    load_fields(task.fields, run.read_text, path)
    return OpenedRun(config, task, generation, run.warnings)


def _widened(config: Config) -> Config:
    """Return the configuration with batches as large as answering wants them."""
    wide = {key: max(least, getattr(config.training, key)) for key, least in BATCH.items()}
    return config.model_copy(update={"training": config.training.model_copy(update=wide)})
