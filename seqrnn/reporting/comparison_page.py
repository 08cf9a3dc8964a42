"""One page on several runs, asked about the same rows: figures, courses, memory, and tests of differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np

from seqrnn.errors import UsageError
from seqrnn.library.figures import head, is_rate, title
from seqrnn.reporting.drawing.charts import Frame, Line, line_chart, powers
from seqrnn.reporting.measures.curves import Curves, learning_curves
from seqrnn.reporting.measures.paired_tests import Paired, compare
from seqrnn.reporting.measures.states import States, hidden_states
from seqrnn.reporting.page import NOT_TILES, Part, body_of, render
from seqrnn.reporting.subject import Measured, Subject

MOST_RUNS = 8
STYLES = "abcd"


def check_comparable(subjects: Sequence[Subject]) -> None:
    """Raise UsageError unless runs have learnt the same task and were asked about the same rows."""
    first, *others = subjects
    for other in others:
        if other.task.name != first.task.name:
            what = f"was trained for {other.task.name}, {first.name} for {first.task.name}"
            raise UsageError(f"{other.name}: {what}; compare runs of one task")
        if other.measured is None or first.measured is None:
            raise UsageError("no data to compare the runs on are left; name a file after them")
        if _rows(other.measured) != _rows(first.measured):
            what = "has other data of its own than"
            raise UsageError(f"{other.name}: {what} {first.name}; name a file of data after the runs")


def compare_page(subjects: Sequence[Subject]) -> str:
    """Return a page that compares runs which `check_comparable` accepts."""
    names, pairs, states = _names(subjects), paired_tests(subjects), _states(subjects)
    commands = _commands(subjects)
    parts = [
        Part("summary", "What they reach", _summary(subjects, names), commands),
        Part("paired", "Whether they differ", _paired(subjects, pairs), f"{commands} --json"),
    ]
    for name, heading, verdict, charts in (
        ("curves", "How training went", "", _curve_charts(subjects, names)),
        ("states", "How long they remember", _reaches(states, names), _state_charts(states, names)),
    ):
        drawn = [chart for chart in charts if chart is not None]
        if drawn:
            body = body_of("overlaid", charts=drawn, verdict=verdict)
            parts.append(Part(name, heading, body, f"{commands} --json"))
    return render(", ".join(names), f"{len(names)} runs compared: {subjects[0].task.name}", parts)


def compared_numbers(subjects: Sequence[Subject]) -> dict[str, Any]:
    """Return the tests of a comparison, in values that JSON can hold."""
    return {"score": subjects[0].task.score_name, "paired": [asdict(pair) for pair in paired_tests(subjects)]}


def paired_tests(subjects: Sequence[Subject]) -> list[Paired]:
    """Compare each two runs on the rows that they have answered; none where answers have no grade."""
    named = [*zip(_names(subjects), map(_scores, subjects), strict=True)]
    return [
        compare((first, second), scores, others)
        for (first, scores), (second, others) in combinations(named, 2)
        if len(scores) == len(others) > 0
    ]


def _scores(subject: Subject) -> np.ndarray:
    examples = subject.measured.examples if subject.measured else ()
    return np.array([each.grade.score for each in examples if each.grade is not None], dtype=np.float64)


def _rows(measured: Measured) -> list[tuple[str, int, str, tuple[str, ...]]]:
    records = (example.record for example in measured.examples)
    return [(record.path, record.line, record.source, record.targets) for record in records]


def _names(subjects: Sequence[Subject]) -> list[str]:
    """Return a name for each run: that of its directory, or its path where others have the same."""
    names = [subject.name for subject in subjects]
    return [subject.argument if names.count(subject.name) > 1 else subject.name for subject in subjects]


def _commands(subjects: Sequence[Subject]) -> str:
    measured = subjects[0].measured
    words = ["seqrnn", "report", *(subject.argument for subject in subjects)]
    return " ".join([*words, *filter(None, [measured.data.argument if measured else ""])])


def _summary(subjects: Sequence[Subject], names: Sequence[str]) -> Any:
    evaluations = [subject.measured.evaluation.figures for subject in subjects if subject.measured]
    shared = [name for name in evaluations[0] if all(name in found for found in evaluations)]
    figures = [(name, [found[name] for found in evaluations]) for name in shared if name not in NOT_TILES]
    figures = [(name, values) for name, values in figures if any(values) or not name.startswith("unknown")]
    facts = {"parameters": "parameters", "kept at update": "step"}
    figures += [(name, [subject.facts[fact] for subject in subjects]) for name, fact in facts.items()]
    return body_of(
        "compared",
        names=names,
        figures=figures,
        settings=_settings(subjects),
        verdict=_best(subjects, names),
        notes=_notes(subjects, names),
    )


def _notes(subjects: Sequence[Subject], names: Sequence[str]) -> list[str]:
    """Return what a reader should know of the data, of which run where it is not the same of all."""
    found = [subject.measured.evaluation.notes if subject.measured else () for subject in subjects]
    if len(set(found)) == 1:
        return [*found[0]]
    return [f"{name}: {note}" for name, notes in zip(names, found, strict=True) for note in notes]


def _best(subjects: Sequence[Subject], names: Sequence[str]) -> str:
    """Say which run has the best of the figure that decides."""
    metric, better = subjects[0].task.metric, subjects[0].task.better
    found = [
        (value, name)
        for subject, name in zip(subjects, names, strict=True)
        if subject.measured and isinstance(value := subject.measured.evaluation.figures.get(metric), float)
    ]
    if not found:
        return ""
    best = max(found) if better == "higher" else min(found)
    return f"{best[1]} has the best {head(metric)}."


def _settings(subjects: Sequence[Subject]) -> list[tuple[str, list[str]]]:
    """Return the settings in which the runs differ, with the value of each."""
    dumped = [asdict(subject.model.run.config) for subject in subjects]
    keys = [
        (section, key) for section, values in dumped[0].items() if isinstance(values, dict) for key in values
    ]
    rows = [(f"{section}.{key}", [str(each[section][key]) for each in dumped]) for section, key in keys]
    return [(key, values) for key, values in rows if len(set(values)) > 1]


def _paired(subjects: Sequence[Subject], pairs: Sequence[Paired]) -> Any:
    told = [pair for pair in pairs if pair.p_value < 0.05 / max(len(pairs), 1)]
    verdict = _significant(len(told), len(pairs))
    rows = pairs[0].rows if pairs else 0
    return body_of("paired", pairs=pairs, verdict=verdict, score=subjects[0].task.score_name, rows=rows)


def _significant(found: int, tests: int) -> str:
    """Say how many of some differences are more than chance."""
    if not tests:
        return "The answers of this task have no score by which rows could be compared."
    if tests == 1:
        return f"The difference is {'' if found else 'not '}statistically significant."
    return f"{found} of {tests} differences {'is' if found == 1 else 'are'} statistically significant."


def _curve_charts(subjects: Sequence[Subject], names: Sequence[str]) -> Iterator[Any]:
    courses = [
        learning_curves(subject.facts["history"], subject.facts["metric"], subject.facts["step"], 1)
        for subject in subjects
    ]
    metric = next((course.metric_name for course in courses if course and course.metric_name), None)
    yield line_chart(
        Frame("Validation loss", "updates", "nats a target"),
        _lines(names, courses, lambda course: course.valid),
    )
    yield line_chart(
        Frame("Loss in training", "updates", "nats a target"),
        _lines(names, courses, lambda course: course.train),
    )
    if metric:
        frame = Frame(title(metric), "updates", head(metric), y_percent=is_rate(metric))
        yield line_chart(frame, _lines(names, courses, lambda course: course.metric))


def _states(subjects: Sequence[Subject]) -> list[States | None]:
    return [hidden_states(subject.measured.memory) if subject.measured else None for subject in subjects]


def _reaches(states: Sequence[States | None], names: Sequence[str]) -> str:
    """Say after how many steps the gradient of each run has vanished."""
    told = [
        f"{name} {f'more than {len(found.reach) - 1:,}' if found.gone is None else f'{found.gone:,}'}"
        for name, found in zip(names, states, strict=True)
        if found is not None
    ]
    return f"Steps until the gradient stays below 1% of its largest: {', '.join(told)}." if told else ""


def _state_charts(states: Sequence[States | None], names: Sequence[str]) -> Iterator[Any]:
    reach = Frame(
        "Reach of the gradient",
        "steps before the last one",
        "share of the largest",
        y_range=(-4, 0),
        y_power=True,
        y_percent=True,
    )
    yield line_chart(reach, _lines(names, states, lambda found: powers(found.reach)))
    norms = Frame("Hidden states", "step", "mean norm", floor=0.0)
    yield line_chart(norms, _lines(names, states, lambda found: found.norms))


def _lines(
    names: Sequence[str], found: Sequence[Curves | None] | Sequence[States | None], points: Any
) -> list[Line]:
    return [
        Line(name, points(each), STYLES[number % len(STYLES)])
        for number, (name, each) in enumerate(zip(names, found, strict=True))
        if each is not None
    ]
