"""Asks a run what a report is to show: figures over all rows, and single answers to some of them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from seqrnn.answering.opened_run import OpenedRun
from seqrnn.answering.rows import MAX_ROWS
from seqrnn.data.answer import Answer
from seqrnn.data.dataset.batching import BatchOrder
from seqrnn.data.dataset.columns import Column, Dataset
from seqrnn.data.fields.source_fields import SourceField
from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.lines import file_name
from seqrnn.data.record import Record, size_of
from seqrnn.data.spread_sample import SpreadSample
from seqrnn.errors import DataError
from seqrnn.library.decoding import DecodingOptions
from seqrnn.library.measuring import (
    DataArguments,
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
from seqrnn.reporting.subject import Data, Example, Measured, Norms, Subject
from seqrnn.tasks.task import Asked, Task

if TYPE_CHECKING:
    from seqrnn.data.source import Source

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


def gather(path: Path, wanted: Wanted) -> tuple[Subject, list[str]]:
    """Open a run and ask it; return with it what the user should know.

    Raises ModelError for a damaged run, UsageError and DataError for data that cannot be read.
    """
    model = OpenedModel(path, None, Resources("auto", wanted.device, wanted.threads))
    run = model.run
    facts, notes = facts_of(run)
    data = _given(run, wanted.given) if wanted.given else _own(run)
    measured = None
    if data is None:
        notes.append("no data to ask the model about are left; name a file after the run to see its answers")
    else:
        source, found = data
        examples, rows = _examples(model, found, wanted.examples)
        evaluation = _evaluated(run, source, found, wanted.device)
        memory = _memory(run, [example.record for example in examples])
        measured = Measured(found, evaluation, examples, rows, memory)
        notes += evaluation.notes
    subject = Subject(path.name or str(path), shlex.quote(str(path)), model, facts, measured)
    return subject, notes


def _given(run: OpenedRun, given: DataArguments) -> tuple[Source, Data]:
    """Find the data that a command line names."""
    source = find_source(run.config, given)
    name = " and ".join(map(file_name, source.files))
    return source, Data(name, _argument(given), lambda: iter(read_records(source)))


def _own(run: OpenedRun) -> tuple[None, Data] | None:
    own = own_data(run)
    if own is None:
        return None
    return None, Data(f"{own.name} ({', '.join(map(file_name, own.files))})", "", own.records)


def _argument(given: DataArguments) -> str:
    if given.sides[0] is not None and given.sides[1] is not None:
        return f"--src {shlex.quote(given.sides[0])} --tgt {shlex.quote(given.sides[1])}"
    return " ".join(map(shlex.quote, given.paths))


def _evaluated(run: OpenedRun, source: Source | None, data: Data, device: str) -> Evaluation:
    """Measure as `seqrnn evaluate` does, on all rows."""
    from seqrnn.backends.torch.backend import open_backend

    task = _task_of(run)
    options = evaluation_options(task, data.name, 1, (None, None))
    rows = encoded_records(task, data.records()) if source is None else encoded(task, source)
    with rows as part:
        return part.measure(open_backend(run, device), options)


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


def _examples(model: OpenedModel, data: Data, most: int | None) -> tuple[list[Example], int]:
    """Ask about all rows, or `most` spread over them; return the answers, and how many rows there are.

    Raises DataError at a row that the model cannot read.
    """
    task = model.run.task
    make, usual = ASKED[task.asked]
    found, rows = spread(data.records(), usual if most is None else most)
    chosen = task.with_references(found)
    answerer = make(model)
    parts = [chosen[start : start + MAX_ROWS] for start in range(0, len(chosen), MAX_ROWS)]
    answers = [answer for part in model.side_by_side(answerer, iter(parts)) for answer in part]
    triples = zip(chosen, answers, _lengths(task, chosen), strict=True)
    return [_example(task, record, answer, length) for record, answer, length in triples], rows


def _example(task: Task, record: Record, answer: Answer | Refusal, length: int) -> Example:
    if isinstance(answer, Refusal):
        raise DataError(f"{record.location}: {answer.reason}")
    return Example(record, answer, task.grade(record, answer), length)


def spread(records: Iterator[Record], most: int) -> tuple[list[Record], int]:
    """Return at most `most` of some records, spread evenly over them, and how many there are."""
    sample: SpreadSample[Record] = SpreadSample(most)
    rows = 0
    for record in records:
        sample.add(record, 1)
        rows += 1
    kept: list[Record] = []
    room = LARGEST_SAMPLE
    for record in sample.items:
        room -= size_of(record)
        if room < 0 and kept:
            break
        kept.append(record)
    return kept, rows


def _lengths(task: Task, records: Sequence[Record]) -> Iterator[int]:
    """Yield how many tokens or steps of each record are read."""
    field = cast(SourceField, task.fields[0])
    for start in range(0, len(records), MAX_ROWS):
        column = Column.of([side.ids for side in field.encode(records[start : start + MAX_ROWS])])
        yield from field.lengths(column, np.arange(len(column))).tolist()
