"""Measuring a model on a data file that a command names."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqrnn.errors import UsageError

if TYPE_CHECKING:
    from seqrnn.answering.opened_run import OpenedRun
    from seqrnn.config import DataConfig
    from seqrnn.data.source import Source
    from seqrnn.engine.backend import TorchBackend
    from seqrnn.engine.evaluation import Effort
    from seqrnn.tasks.task import Task


@dataclass(frozen=True)
class Given:
    """What a command line says of a data file: its path, or those of two sides, and its layout."""

    path: str
    sides: tuple[str | None, str | None] = (None, None)
    layout: str = "auto"
    text_column: str | None = None
    label_column: str | None = None


@dataclass(frozen=True)
class Measured:
    """The figures by their public names, the details beside them, and how many examples were cut."""

    figures: Mapping[str, Any]
    details: Mapping[str, Any]
    truncated: int

    def notes(self) -> list[str]:
        """Return what a user should know beside the figures, a line each."""
        return [f"examples longer than max_tokens, and cut: {self.truncated:,}"] * bool(self.truncated)


def find_source(run: OpenedRun, given: Given) -> Source:
    """Say where the data are, and how they are laid out: as in training, unless the file tells otherwise.

    Raises UsageError where both a file and sides are given, and DataError for a layout that nobody knows.
    """
    from seqrnn.data.sniff import guess

    columns = {"text_column": given.text_column, "label_column": given.label_column}
    known = {name: value for name, value in columns.items() if value is not None}
    source = _source(run.config.data.model_copy(update=known), given)
    if source.format == "auto":
        source = replace(source, format=guess(source, run.config.task).format)
    return source


def measure(backend: TorchBackend, task: Task, source: Source, effort: Effort) -> Measured:
    """Measure the network of a backend. Raises DataError for what cannot be read."""
    from seqrnn.data.building import encode_part
    from seqrnn.data.dataset.columns import Dataset
    from seqrnn.engine.evaluation import evaluate

    with tempfile.TemporaryDirectory(prefix="seqrnn-") as directory:
        part = encode_part(source, task.fields, Path(directory), "truncate")
        dataset = Dataset.open(Path(directory), [field.name for field in task.fields])
        return Measured(*evaluate(backend.model, task, dataset, effort), part.truncated)


def _source(data: DataConfig, given: Given) -> Source:
    from seqrnn.data.source import Source, spool

    source, target = given.sides
    if source is not None or target is not None:
        if given.path != "-" or given.layout != "auto":
            raise UsageError("--src and --tgt stand alone; leave out the data file and --format")
        return Source.training(
            data.model_copy(update={"train": (), "source": source, "target": target, "format": "parallel"})
        )
    as_trained = data.format if data.format in {"text", "lines"} else "auto"
    chosen = as_trained if given.layout == "auto" else given.layout
    update: dict[str, Any] = {"train": (given.path,), "source": None, "target": None, "format": chosen}
    return spool(Source.training(data.model_copy(update=update)))
