"""Which answers deserve a look: wrong ones that the model was sure of, and those it was least sure of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from seqrnn.data.answer import Answer
from seqrnn.data.fields.source_kind import SourceKind
from seqrnn.data.record import Record
from seqrnn.data.wording import counted
from seqrnn.library.rows import Refusal
from seqrnn.reporting.pictures import Picture, picture_of
from seqrnn.reporting.subject import Example

SHOWN = 12


@dataclass(frozen=True)
class Case:
    """An answer to look at: where the row is, its input, the right answer, the answer and its probability."""

    place: str
    picture: Picture
    expected: Any
    predicted: Any
    right: bool | None
    probability: float | None
    runners_up: Sequence[tuple[Any, float]]


@dataclass(frozen=True)
class Mistakes:
    """The `worst` of `wrong` wrong answers, by their probability, and the most `uncertain` of all answers."""

    wrong: int
    answers: int
    worst: Sequence[Case]
    uncertain: Sequence[Case]
    verdict: str


Runners = Callable[[Sequence[Record]], Sequence[Answer | Refusal]]
"""Asks for the likeliest answers to some rows, not the best one alone."""


def mistakes(examples: Sequence[Example], ask: Runners, kind: SourceKind) -> Mistakes | None:
    """Choose the answers to look at, and `ask` for their runners-up; None where none is graded."""
    graded = [example for example in examples if example.grade is not None]
    if not graded:
        return None
    wrong = sum(not example.grade.right for example in graded if example.grade)
    known = sorted(
        (each for each in graded if each.answer.probability is not None),
        key=lambda each: each.answer.probability or 0.0,
    )
    sure = [each for each in reversed(known) if each.grade and not each.grade.right][:SHOWN]
    worst, uncertain = _cases(sure, ask, kind), _cases(known[:SHOWN], ask, kind)
    return Mistakes(wrong, len(graded), worst, uncertain, _verdict(worst, wrong))


def _cases(examples: Sequence[Example], ask: Runners, kind: SourceKind) -> list[Case]:
    ranked = ask([example.record for example in examples])
    return [_case(example, answer, kind) for example, answer in zip(examples, ranked, strict=True)]


def _case(example: Example, ranked: Answer | Refusal, kind: SourceKind) -> Case:
    """Return what is shown of an example that has a grade."""
    record, grade = example.record, example.grade
    assert grade is not None
    others = ranked.ranked[1:] if isinstance(ranked, Answer) else ()
    return Case(
        record.location,
        picture_of(record, kind),
        grade.expected,
        grade.predicted,
        grade.right,
        example.answer.probability,
        [(name, likely or 0.0) for name, likely in others],
    )


def _verdict(worst: Sequence[Case], wrong: int) -> str:
    if not wrong:
        return "No answer is wrong."
    if not worst or worst[0].probability is None:
        return ""
    return f"The surest of {counted(wrong, 'wrong answer')} has a probability of {worst[0].probability:.1%}."
