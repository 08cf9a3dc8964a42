"""Measuring a model on a data file that a command names."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqrnn.errors import UsageError

if TYPE_CHECKING:
    from seqrnn.config import Config, DataConfig
    from seqrnn.data.dataset.columns import Dataset
    from seqrnn.data.dataset.preparation_report import PartReport
    from seqrnn.data.source import Source
    from seqrnn.engine.backend import TorchBackend
    from seqrnn.engine.evaluation import Effort
    from seqrnn.tasks.task import Task


@dataclass(frozen=True)
class Given:
    """What a command line says of data: its files, or those of two sides, and their layout."""

    paths: tuple[str, ...]
    sides: tuple[str | None, str | None] = (None, None)
    layout: str = "auto"
    text_column: str | None = None
    label_column: str | None = None
    encoding: str | None = None


@dataclass(frozen=True)
class Measured:
    """The figures by their public names, the details beside them, and what was counted of the data."""

    figures: Mapping[str, Any]
    details: Mapping[str, Any]
    part: PartReport

    @property
    def as_json(self) -> dict[str, Any]:
        """The figures, and the signatures by which others can repeat some of them."""
        return {**self.figures, **{key: self.details[key] for key in ("signatures",) if key in self.details}}

    def notes(self) -> list[str]:
        """Return what a user should know beside the figures, a line each."""
        from seqrnn.data.fields.names import told_unknown

        notes = [*self.details.get("notes", ()), *told_unknown(self.part.unknown_names)]
        if self.part.unknown:
            share = f"{self.part.unknown:,} of {self.part.tokens:,} ({self.part.unknown_share:.2%})"
            notes.append(f"tokens that training did not have, and read as <unk>: {share}")
        if self.part.truncated:
            notes.append(f"examples longer than max_tokens, and cut: {self.part.truncated:,}")
        return notes


def find_source(config: Config, given: Given) -> Source:
    """Say where the data are, and how they are laid out: as in training, unless the file tells otherwise.

    Raises UsageError where both a file and sides are given, and DataError for a layout that nobody knows.
    """
    from seqrnn.config_file import dump, from_flags, from_yaml, resolve
    from seqrnn.inference import formatted

    keys = {
        "text_column": given.text_column,
        "label_column": given.label_column,
        "encoding": given.encoding,
    }
    known = from_flags({f"data.{name}": value for name, value in keys.items() if value is not None})
    source = _source(resolve([from_yaml(dump(config), "config.yaml"), known]).data, given).as_trained()
    return formatted(source, config.task) if source.format == "auto" else source


@dataclass(frozen=True)
class Encoded:
    """Data as a task's fields have encoded them, ready to be measured on."""

    task: Task
    dataset: Dataset
    part: PartReport

    def measure(self, backend: TorchBackend, effort: Effort) -> Measured:
        """Measure the network of a backend. Raises NumericError where its loss is not finite."""
        from seqrnn.engine.evaluation import evaluate

        return Measured(*evaluate(backend.model, self.task, self.dataset, effort), self.part)


@contextmanager
def encoded(task: Task, source: Source) -> Iterator[Encoded]:
    """Encode data with the fields of a task, which have learned. Raises DataError for what cannot be read."""
    from seqrnn.data.dataset.building import encode_part
    from seqrnn.data.dataset.columns import Dataset

    with tempfile.TemporaryDirectory(prefix="seqrnn-") as directory:
        part = encode_part(source, task.fields, Path(directory), "truncate")
        yield Encoded(task, Dataset.open(Path(directory), [field.name for field in task.fields]), part)


def measure(backend: TorchBackend, task: Task, source: Source, effort: Effort) -> Measured:
    """Measure the network of a backend. Raises DataError for what cannot be read."""
    with encoded(task, source) as data:
        return data.measure(backend, effort)


def _source(data: DataConfig, given: Given) -> Source:
    from seqrnn.data.source import Source, spool

    source, target = given.sides
    if source is not None or target is not None:
        if given.paths != ("-",) or given.layout != "auto":
            raise UsageError("--src and --tgt stand alone; leave out the data file and --format")
        return Source.training(
            data.model_copy(update={"train": (), "source": source, "target": target, "format": "parallel"})
        )
    as_trained = data.format if data.format in {"text", "lines"} else "auto"
    chosen = as_trained if given.layout == "auto" else given.layout
    update: dict[str, Any] = {"train": given.paths, "source": None, "target": None, "format": chosen}
    return spool(Source.training(data.model_copy(update=update)))
