"""What a model in training answers to a few fixed rows, at each evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from seqrnn.data.answer import AnswerKind, AnswerStyle
from seqrnn.data.record import Record
from seqrnn.library.decoding import DecodingOptions
from seqrnn.library.opened_model import OpenedModel, Resources
from seqrnn.library.own_data import own_data
from seqrnn.library.row_answerers import row_generator, row_predictor
from seqrnn.library.rows import Refusal
from seqrnn.tasks.task import Task

if TYPE_CHECKING:
    from seqrnn.training.events import Event

ROWS: Final = 3  # that are answered
TOKENS: Final = 120  # of a text that a language model writes
SEED: Final = 1  # of its draws, the same at each evaluation


@dataclass(frozen=True)
class Sample:
    """A row with its current answer, and the right one; of a language model what it writes without a prompt.

    `right` is None where answers are only better or worse.
    """

    row: str
    answer: str
    expected: str
    right: bool | None


@dataclass(frozen=True)
class Sampled:
    """A training has been asked after so many updates; no `samples` where its rows cannot be read again."""

    step: int
    samples: tuple[Sample, ...]


def sampled(events: Iterable[Event], path: Path) -> Iterator[Event | Sampled]:
    """Yield the events of the training in a run directory, and what it answers after each evaluation.

    The checkpoint that was just saved is asked, as it would be by `seqrnn classify`, so that nothing of the
    training changes by it, its random numbers included.
    """
    from seqrnn.training.events import Evaluated, Saved

    records: list[Record] | None = None
    evaluated = False
    for event in events:
        yield event
        if isinstance(event, Saved) and evaluated:
            model = OpenedModel(path, None, Resources(device="cpu"), newest=True)
            if records is None:
                records = _rows(model)
            yield Sampled(event.step, tuple(_samples(model, records)))
        evaluated = isinstance(event, Evaluated) or (evaluated and not isinstance(event, Saved))


def _rows(model: OpenedModel) -> list[Record]:
    """Return the first rows of the validation part; none for a language model, which reads no rows."""
    task = model.run.task
    if task.asked == "lines" or (own := own_data(model.run)) is None:
        return []
    return list(task.with_references(list(islice(own.records(), ROWS))))


def _samples(model: OpenedModel, records: Sequence[Record]) -> Iterator[Sample]:
    task = model.run.task
    if task.asked == "lines":
        yield Sample("", _text(model), "", None)
        return
    if not records:
        return
    answerer = row_predictor(model) if task.asked == "names" else row_generator(model, DecodingOptions())
    for record, answer in zip(records, answerer(records), strict=True):
        row = record.source or record.location
        if isinstance(answer, Refusal):
            yield Sample(row, answer.reason, "", None)
            continue
        grade = task.grade(record, answer)
        expected = "" if grade is None else _shown(task, grade.expected)
        yield Sample(row, _shown(task, answer.prediction), expected, grade and grade.right)


def _text(model: OpenedModel) -> str:
    """Return what a language model writes without a prompt, always with the same draws."""
    from seqrnn.answering.continuation import Continuation
    from seqrnn.answering.text_generator import TextGenerator

    limits, sampling = DecodingOptions(max_len=TOKENS, seed=SEED).for_prompts()
    generator = TextGenerator(model.run, model.backend)
    return str(Continuation(generator, "", limits).answer(sampling).prediction)


def _shown(task: Task, value: object) -> str:
    kind: AnswerKind = getattr(task, "answer_kind", "label")
    if isinstance(value, float):
        return f"{value:.4g}"
    return AnswerStyle(kind).cell(value)
