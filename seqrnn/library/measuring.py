"""Measuring a model on a data file that a command names."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqrnn.errors import UsageError, refuse
from seqrnn.library.decoding import BEAM_SIZE

if TYPE_CHECKING:
    from seqrnn.backends.torch.backend import TorchBackend
    from seqrnn.config import Config, DataConfig
    from seqrnn.data.dataset.columns import Dataset
    from seqrnn.data.dataset.preparation_report import PartReport
    from seqrnn.data.dataset.progress import Progress
    from seqrnn.data.fields.field import Field
    from seqrnn.data.record import Record
    from seqrnn.data.source import Source
    from seqrnn.metrics.evaluation import Evaluation
    from seqrnn.tasks.task import Task
    from seqrnn.training.evaluation import EvaluationOptions


@dataclass(frozen=True)
class DataArguments:
    """What a command line says of data: its files, or those of two sides, and their layout."""

    paths: tuple[str, ...]
    sides: tuple[str | None, str | None] = (None, None)
    layout: str = "auto"
    text_column: str | None = None
    label_column: str | None = None
    encoding: str | None = None


def find_source(config: Config, given: DataArguments) -> Source:
    """Say where the data are, and how they are laid out: as in training, unless the file tells otherwise.

    Raises UsageError where both a file and sides are given, and DataError for a layout that nobody knows.
    """
    from seqrnn.data.formats.registry import columns_for
    from seqrnn.inference import formatted, with_sentences

    keys = {
        "text_column": given.text_column,
        "label_column": given.label_column,
        "encoding": given.encoding,
    }
    source = _source(with_settings(config, keys), given).as_trained()
    source = formatted(source, config.task) if source.format == "auto" else source
    chosen = {"text_column": given.text_column, "label_column": given.label_column}
    known = {name: column for name, column in chosen.items() if column}
    columns = columns_for(config.data, source.format, given.text_column) | known
    header = "auto" if known and source.header == "yes" else source.header
    return with_sentences(replace(source, header=header, **columns), config.task)


def with_settings(config: Config, keys: Mapping[str, str | None]) -> DataConfig:
    """Return what the configuration of a run says of data, with other values for those keys that have one.

    Raises UsageError for a value that a key cannot have.
    """
    from seqrnn.config_file import from_flags, overlaid

    known = from_flags({f"data.{name}": value for name, value in keys.items() if value is not None})
    return overlaid(config, known).data if known else config.data


def with_fields(task: Task, fields: Sequence[Field]) -> Task:
    """Return a new task that knows what the `fields` of another have learned.

    Fields take note of names that they meet in data, which the others shall not know of.
    """
    from seqrnn.data.fields.field import load_fields, vocabulary_files

    load_fields(task.fields, vocabulary_files(fields).__getitem__, Path())
    return task


@dataclass(frozen=True)
class EncodedData:
    """Data as a task's fields have encoded them, ready to be measured on."""

    task: Task
    dataset: Dataset
    part: PartReport
    notes: Sequence[str] = ()

    def measure(
        self,
        backend: TorchBackend,
        options: EvaluationOptions,
        heard: Callable[[float], None] | None = None,
    ) -> Evaluation:
        """Measure the network of a backend; after each batch `heard` is told its share (0 to 1) of all.

        Raises NumericError where its loss is not finite.
        """
        from seqrnn.training.evaluation import evaluate

        return self.noted(evaluate(backend.model, self.task, self.dataset, options, heard=heard))

    def noted(self, evaluation: Evaluation) -> Evaluation:
        """Return an evaluation with what a user should know of the data."""
        return replace(evaluation, notes=(*self.notes, *evaluation.notes, *_notes(self.part)))


@contextmanager
def encoded(
    task: Task,
    source: Source,
    look: Callable[[Sequence[Record]], None] | None = None,
    progress: Progress | None = None,
) -> Iterator[EncodedData]:
    """Encode data with the fields of a task, which have learned; `look` is shown all records on their way.

    Raises DataError for what cannot be read.
    """
    from seqrnn.data.dataset.building import encode_part
    from seqrnn.data.dataset.columns import Dataset
    from seqrnn.data.formats.registry import notes_of

    with tempfile.TemporaryDirectory(prefix="seqrnn-") as directory:
        part = encode_part(source, task.fields, Path(directory), "truncate", progress=progress, look=look)
        dataset = Dataset.open(Path(directory), [field.name for field in task.fields])
        yield EncodedData(task, dataset, part, notes_of(source))


@contextmanager
def encoded_records(
    task: Task,
    records: Iterable[Record],
    look: Callable[[Sequence[Record]], None] = lambda _: None,
) -> Iterator[EncodedData]:
    """Encode rows that others read, as `encoded` does those of a source."""
    from seqrnn.data.dataset.columns import Dataset
    from seqrnn.data.dataset.encoding import PartWriter
    from seqrnn.data.grouping import batched
    from seqrnn.data.record import size_of

    with tempfile.TemporaryDirectory(prefix="seqrnn-") as directory:
        with PartWriter(Path(directory, "part"), task.fields, "truncate") as part:
            for some in batched(records, size_of):
                look(some)
                part.add(some)
        dataset = Dataset.open(Path(directory, "part"), [field.name for field in task.fields])
        yield EncodedData(task, dataset, part.report)


def evaluation_options(
    task: Task,
    name: str,
    streams: int,
    beam: tuple[int | None, float | None],
    *,
    min_probability: float | None = None,
    dynamic: bool = False,
) -> EvaluationOptions:
    """Return what measuring may cost, of a model of this `name`; `beam` is its width and length penalty.

    Coverage and accuracy are told of answers of `min_probability` or more. In a `dynamic` evaluation the
    model goes on learning.
    Raises UsageError for what has no effect on the task.
    """
    from seqrnn.search.beam import Beam
    from seqrnn.training.evaluation import EvaluationOptions

    size, penalty = beam
    if not task.searches:
        of_beams = {"`decoding.beam_size`": size, "`decoding.length_penalty`": penalty}
        refuse(of_beams, f"{name} was trained for {task.name}, which searches nothing; leave it out")
    if not task.stream:
        of_texts = {"`streams`": None if streams == 1 else streams, "`dynamic`": dynamic or None}
        refuse(of_texts, f"{name} was not trained on one long text; leave it out")
    if min_probability is not None:
        from seqrnn.library.row_answerers import require_probability

        require_probability(task, min_probability)
    width = BEAM_SIZE if size is None else size
    found = Beam(width, penalty or 0.0)
    return EvaluationOptions(streams, beam=found, min_probability=min_probability, dynamic=dynamic)


def set_bleu_tokenizer(task: Task, name: str, tokenizer: str | None) -> None:
    """Have texts cut for BLEU by another tokenizer than in training, if one is given, to measure a model.

    Raises UsageError where the tokenizer is not installed, or the model, of this `name`, has no BLEU.
    """
    from seqrnn.metrics.bleu_tokenizer import check_bleu_tokenizer

    if "training.bleu_tokenizer" not in task.settings:
        reason = f"{name} was trained for {task.name}, which is not measured by BLEU"
        refuse({"`training.bleu_tokenizer`": tokenizer}, reason)
    if tokenizer is not None:
        task.set_training("bleu_tokenizer", tokenizer)
    check_bleu_tokenizer(task.config.training.bleu_tokenizer)


def measure(backend: TorchBackend, task: Task, source: Source, options: EvaluationOptions) -> Evaluation:
    """Measure the network of a backend. Raises DataError for what cannot be read."""
    with encoded(task, source) as data:
        return data.measure(backend, options)


def _notes(part: PartReport) -> list[str]:
    """Return what a user should know of data, a line each."""
    from seqrnn.data.fields.names import told_unknown

    notes = told_unknown(part.unknown_names)
    if part.unknown:
        share = f"{part.unknown:,} of {part.tokens:,} ({part.unknown_share:.2%})"
        notes.append(f"tokens that training did not have, and read as <unk>: {share}")
    if part.truncated:
        notes.append(f"examples longer than max_tokens, and cut: {part.truncated:,}")
    return notes


def _source(data: DataConfig, given: DataArguments) -> Source:
    from seqrnn.data.source import Source, spool

    source, target = given.sides
    if source is not None or target is not None:
        if given.paths != ("-",) or given.layout != "auto":
            raise UsageError(
                "`data.source` and `data.target` name the data; remove the data file and `data.format`"
            )
        return Source.training(replace(data, train=(), source=source, target=target, format="parallel"))
    as_trained = data.format if data.format in {"text", "lines"} else "auto"
    chosen = as_trained if given.layout == "auto" else given.layout
    update: dict[str, Any] = {"train": given.paths, "source": None, "target": None, "format": chosen}
    return spool(Source.training(replace(data, **update)))
