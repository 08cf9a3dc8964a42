"""The sections of a report by name: what each measures of a run, and the command that gives its numbers.

Which of them a report has is said by its task (`Task.sections`). A section `NAME` is drawn by
`drawing/templates/sections/NAME.html`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqrnn.data.answer import Answer
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.record import Record
from seqrnn.library.explaining import Explainer
from seqrnn.library.row_answerers import row_predictor
from seqrnn.reporting.gathering import RANKED
from seqrnn.reporting.measures.calibration import coverage_of, reliability_of
from seqrnn.reporting.measures.classes import class_scores
from seqrnn.reporting.measures.curves import learning_curves
from seqrnn.reporting.measures.edits import edit_errors
from seqrnn.reporting.measures.explained import alignments, saliency, surprisal
from seqrnn.reporting.measures.lengths import by_length
from seqrnn.reporting.measures.mistakes import mistakes
from seqrnn.reporting.measures.music import piano_rolls
from seqrnn.reporting.measures.numbers import number_errors
from seqrnn.reporting.measures.spans import tagged
from seqrnn.reporting.measures.states import hidden_states
from seqrnn.reporting.subject import Measured, Subject
from seqrnn.tasks.task import GenerationTask

INSPECT = "seqrnn inspect {run} --json"
EVALUATE = "seqrnn evaluate -m {run} {data}"
REPORT = "seqrnn report {run} {data} --json"
FIRST, LAST = ("curves",), ("states",)  # sections of every report


@dataclass(frozen=True)
class SectionKind:
    """What a section is called, what it measures (None: there is nothing to show), and by which command."""

    title: str
    measure: Callable[[Subject], Any]
    command: str = REPORT


@dataclass(frozen=True)
class Section:
    """A section with its numbers; `sampled` says that they are of some of the rows only."""

    name: str
    title: str
    command: str
    content: Any
    sampled: bool


def _measured(measure: Callable[[Measured, Subject], Any]) -> Callable[[Subject], Any]:
    """Return what measures answers to data, and nothing where there are none."""
    return lambda subject: measure(subject.measured, subject) if subject.measured else None


def _curves(subject: Subject) -> Any:
    facts = subject.facts
    return learning_curves(facts["history"], facts["metric"], facts["step"])


def _classes(measured: Measured, _: Subject) -> Any:
    return class_scores(measured.evaluation)


def _mistakes(measured: Measured, subject: Subject) -> Any:
    kind = kind_named(subject.model.run.config.data.source_kind)
    return mistakes(measured.examples, RANKED[subject.task.asked](subject.model), kind)


def _calibration(measured: Measured, subject: Subject) -> Any:
    return reliability_of(measured.evaluation, subject.task.decision_name)


def _coverage(measured: Measured, subject: Subject) -> Any:
    return coverage_of(measured.evaluation, subject.task.answer_name)


def _tagged(measured: Measured, _: Subject) -> Any:
    return tagged(measured.examples, "span_f1" in measured.evaluation.figures)


def _edits(measured: Measured, subject: Subject) -> Any:
    task = GenerationTask.of(subject.task)
    return edit_errors(measured.examples, task.output.tokenizer.split)


def _numbers(measured: Measured, _: Subject) -> Any:
    return number_errors(measured.examples)


def _music(measured: Measured, subject: Subject) -> Any:
    return piano_rolls(measured.examples, row_predictor(subject.model, probs=True))


def _saliency(measured: Measured, subject: Subject) -> Any:
    kind = kind_named(subject.model.run.config.data.source_kind)
    return saliency(measured.examples, _explainer(subject), kind)


def _alignments(measured: Measured, subject: Subject) -> Any:
    config = subject.model.run.config
    if config.model.attention == "none":
        return None  # without writing some rows anew to find that out
    kind = kind_named(config.data.source_kind)
    return alignments(measured.examples, _explainer(subject, has_saliency=False), kind)


def _surprisal(measured: Measured, subject: Subject) -> Any:
    perplexity = measured.evaluation.figures["perplexity"]
    assert isinstance(perplexity, float)
    return surprisal(measured.examples, _explainer(subject), perplexity)


def _explainer(subject: Subject, has_saliency: bool = True) -> Callable[[Sequence[Record]], Sequence[Answer]]:
    """Return what explains rows; the network on the CPU is opened when there are any."""
    from seqrnn.backends.torch.backend import open_backend

    run = subject.model.run

    def explain(records: Sequence[Record]) -> Sequence[Answer]:
        if not records:
            return []
        return Explainer(run, open_backend(run, "cpu"), has_saliency=has_saliency).answers(records)

    return explain


def _states(measured: Measured, _: Subject) -> Any:
    return hidden_states(measured.memory)


def _lengths(measured: Measured, subject: Subject) -> Any:
    shown = [each for each in measured.examples if not each.record.is_blank]
    graded = [(each.length, each.grade.score) for each in shown if each.grade is not None]
    lengths, scores = (np.array(column) for column in zip(*graded, strict=True)) if graded else ((), ())
    unit = subject.task.fields[0].unit or "token"
    return by_length(subject.task.score_name, np.asarray(lengths), np.asarray(scores), unit)


SECTIONS = {
    "curves": SectionKind("How the training went", _curves, INSPECT),
    "classes": SectionKind("Which classes are confused", _measured(_classes), EVALUATE),
    "mistakes": SectionKind("Answers to look at", _measured(_mistakes)),
    "calibration": SectionKind("How sure it is", _measured(_calibration)),
    "coverage": SectionKind("What the surest answers are worth", _measured(_coverage)),
    "tagged": SectionKind("Sentences with mistakes", _measured(_tagged)),
    "edits": SectionKind("What goes wrong in writing", _measured(_edits)),
    "numbers": SectionKind("Predicted and right numbers", _measured(_numbers)),
    "music": SectionKind("What comes next in the music", _measured(_music)),
    "saliency": SectionKind("What it looks at", _measured(_saliency)),
    "alignments": SectionKind("What it looks at", _measured(_alignments)),
    "surprisal": SectionKind("What surprises it", _measured(_surprisal)),
    "states": SectionKind("How long it remembers", _measured(_states)),
    "lengths": SectionKind("Short and long inputs", _measured(_lengths)),
}


def measure_sections(subject: Subject) -> Iterator[Section]:
    """Yield the sections of a report on a run that have something to show."""
    measured = subject.measured
    data = measured.data.argument if measured else ""
    for name in (*FIRST, *subject.task.sections, *LAST):
        kind = SECTIONS[name]
        content = kind.measure(subject)
        if content is not None:
            template = REPORT if kind.command == EVALUATE and not data else kind.command
            command = " ".join(template.format(run=subject.argument, data=data).split(" "))
            sampled = measured is not None and not measured.is_all and kind.command == REPORT
            yield Section(name, kind.title, command, content, sampled)
