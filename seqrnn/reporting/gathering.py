"""Asks a run what a report is to show: figures over all rows, and single answers to some of them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np

from seqrnn.answering.opened_run import OpenedRun
from seqrnn.answering.row_batches import MAX_ROWS
from seqrnn.data.answer import Answer
from seqrnn.data.dataset.batching import BatchOrder
from seqrnn.data.dataset.building import MEASURING, READING
from seqrnn.data.dataset.columns import Column, Dataset
from seqrnn.data.dataset.progress import Pass, Preparing, Progress, bytes_in
from seqrnn.data.fields.source_fields import SourceField
from seqrnn.data.lines import file_name
from seqrnn.data.record import Record, size_of
from seqrnn.data.spread_sample import SpreadSample
from seqrnn.errors import DataError
from seqrnn.library.decoding import DecodingOptions
from seqrnn.library.measuring import (
    DataArguments,
    EncodedData,
    encoded,
    encoded_records,
    evaluation_options,
    find_source,
    with_fields,
)
from seqrnn.library.opened_model import OpenedModel, Resources
from seqrnn.library.own_data import own_data
from seqrnn.library.row_answerers import line_scorer, row_generator, row_predictor
from seqrnn.library.rows import Refusal, RowAnswerer
from seqrnn.library.run_facts import facts_of
from seqrnn.metrics.evaluation import Evaluation
from seqrnn.reporting.long_text import bounded
from seqrnn.reporting.subject import Data, Example, Measured, Norms, Subject
from seqrnn.tasks.task import Asked, Task

ASKED: dict[Asked, tuple[Callable[[OpenedModel], RowAnswerer], int]] = {
    "names": (row_predictor, 20_000),
    "sequences": (lambda model: row_generator(model, DecodingOptions()), 1_000),
    "lines": (lambda model: line_scorer(model, "report"), 2_000),
}
"""How a row is answered for a report, and of how many rows at most, where the user does not say."""
RANKED: dict[Asked, Callable[[OpenedModel], RowAnswerer]] = {
    "names": lambda model: row_predictor(model, 3),
    "sequences": lambda model: row_generator(model, DecodingOptions(n_best=3)),
}
"""How rows that deserve a look are answered, with what comes close to the answer."""
ANSWERING = "answering"
PASSES = {READING: 1, MEASURING: 50, ANSWERING: 10}  # over the data, and about what a byte costs in each
MEMORY_ROWS = 64  # whose hidden states are looked at
MEMORY_STEPS = 400  # of each of them
LARGEST_SAMPLE = 64 << 20  # characters and steps of the rows that are answered one by one


@dataclass(frozen=True)
class Wanted:
    """What a report is to be made of: the data, if they are named, and of how many rows (`examples`)."""

    given: DataArguments | None = None
    examples: int | None = None
    device: str = "auto"
    threads: int = 1


def gather(
    path: Path, wanted: Wanted, tell: Callable[[Preparing], None] = lambda _: None
) -> tuple[Subject, list[str]]:
    """Open a run and ask it; return with it what the user should know. `tell` hears how far this is.

    Raises ModelError for a damaged run, UsageError and DataError for data that cannot be read.
    """
    model = OpenedModel(path, None, Resources("auto", wanted.device, wanted.threads))
    run = model.run
    facts, notes = facts_of(run)
    data = _given(run, wanted.given) if wanted.given else _own(run)
    name, measured = path.name or str(path), None
    if data is None:
        notes.append("no data to ask the model about are left; name a file after the run to see its answers")
    else:
        measured = _measured(model, data, wanted, Progress(partial(_telling, tell, name)))
        notes += measured.evaluation.notes
    return Subject(name, shlex.quote(str(path)), model, facts, measured), notes


def _measured(model: OpenedModel, data: Data, wanted: Wanted, progress: Progress) -> Measured:
    """Read the data once: measure the model on all rows, and ask it about some of them."""
    run = model.run
    task = _task_of(run)
    size, usual = bytes_in(data.files, run.config.data.source_kind), ASKED[task.asked][1]
    progress.plan([Pass(what, size, cost) for what, cost in PASSES.items()])
    sample = RowSample(usual if wanted.examples is None else wanted.examples)
    with data.encoded(task, sample.add, progress) as part:
        progress.begin(MEASURING)
        evaluation, evaluated = _evaluated(run, part, data, wanted.device, progress)
    progress.begin(ANSWERING)
    examples = _examples(model, sample.records, progress)
    memory = _memory(run, [example.record for example in examples])
    return Measured(data, evaluation, examples, sample.rows, memory, evaluated)


def _telling(tell: Callable[[Preparing], None], name: str, event: Preparing) -> None:
    tell(replace(event, what=f"{name}: {event.what}"))


def _given(run: OpenedRun, given: DataArguments) -> Data:
    """Find the data that a command line names."""
    source = find_source(run.config, given)
    name = " and ".join(map(file_name, source.files))
    return Data(name, _argument(given), source.files, lambda task, *told: encoded(task, source, *told))


def _own(run: OpenedRun) -> Data | None:
    own = own_data(run)
    if own is None:
        return None
    return Data(
        f"{own.name} ({', '.join(map(file_name, own.files))})",
        "",
        own.files,
        lambda task, look, progress: encoded_records(task, own.read(progress.taken), look),
    )


def _argument(given: DataArguments) -> str:
    if given.sides[0] is not None and given.sides[1] is not None:
        return f"--src {shlex.quote(given.sides[0])} --tgt {shlex.quote(given.sides[1])}"
    return " ".join(map(shlex.quote, given.paths))


def _evaluated(
    run: OpenedRun, part: EncodedData, data: Data, device: str, progress: Progress
) -> tuple[Evaluation, str]:
    """Measure as `seqrnn evaluate` does; return with it what that is called with, if it measures the same."""
    from seqrnn.backends.torch.backend import open_backend

    some, streams = bounded(part)
    options = evaluation_options(part.task, data.name, streams, (None, None))
    evaluation = some.measure(open_backend(run, device), options, progress.took)
    if not data.argument or some.dataset is not part.dataset:
        return evaluation, ""
    return evaluation, data.argument if streams == 1 else f"{data.argument} --streams {streams}"


def _task_of(run: OpenedRun) -> Task:
    """Return the task of a run anew: its fields take note of names that the run's own must not know of."""
    task = with_fields(type(run.task)(run.config), run.task.fields)
    task.calibration = run.task.calibration
    return task


def _memory(run: OpenedRun, records: Sequence[Record]) -> list[tuple[Norms, Norms]]:
    """Ask how some of the rows are remembered."""
    from seqrnn.backends.torch.backend import open_backend
    from seqrnn.backends.torch.memory import row_memories

    task = _task_of(run)
    few = records[:: max(1, len(records) // MEMORY_ROWS)][:MEMORY_ROWS]
    columns = {
        field.name: Column.of([side.ids[:MEMORY_STEPS] for side in field.encode(few)])
        for field in task.fields
    }
    batches = islice(task.batches(Dataset(columns), BatchOrder()), MEMORY_ROWS)
    return list(row_memories(open_backend(run, "cpu"), batches))


def _examples(model: OpenedModel, records: Sequence[Record], progress: Progress) -> list[Example]:
    """Ask about rows. Raises DataError at one that the model cannot read."""
    task = model.run.task
    chosen = task.with_references(records)
    answerer = ASKED[task.asked][0](model)
    parts = [chosen[start : start + MAX_ROWS] for start in range(0, len(chosen), MAX_ROWS)]
    answers = []
    for part in model.side_by_side(answerer, iter(parts)):
        answers += part
        progress.took(len(part) / len(chosen))
    triples = zip(chosen, answers, _lengths(task, chosen), strict=True)
    return [_example(task, record, answer, length) for record, answer, length in triples]


def _example(task: Task, record: Record, answer: Answer | Refusal, length: int) -> Example:
    if isinstance(answer, Refusal):
        raise DataError(f"{record.location}: {answer.reason}")
    return Example(record, answer, task.grade(record, answer), length)


class RowSample:
    """At most `most` of the rows that it is shown, spread evenly over them, and how many there are."""

    def __init__(self, most: int) -> None:
        self._sample: SpreadSample[Record] = SpreadSample(most)
        self.rows = 0

    def add(self, records: Sequence[Record]) -> None:
        """Take some rows."""
        self.rows += len(records)
        for record in records:
            self._sample.add(record, 1)

    @property
    def records(self) -> list[Record]:
        """The rows that are kept, as many as may be held in memory, but one at least."""
        kept: list[Record] = []
        room = LARGEST_SAMPLE
        for record in self._sample.items:
            room -= size_of(record)
            if room < 0 and kept:
                break
            kept.append(record)
        return kept


def _lengths(task: Task, records: Sequence[Record]) -> Iterator[int]:
    """Yield how many tokens or steps of each record are read."""
    field = cast(SourceField, task.fields[0])
    for start in range(0, len(records), MAX_ROWS):
        column = Column.of([side.ids for side in field.encode(records[start : start + MAX_ROWS])])
        yield from field.lengths(column, np.arange(len(column))).tolist()
