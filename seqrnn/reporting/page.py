"""One page on one run: a summary and the sections that its task has, in one file that needs no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from seqrnn import __version__
from seqrnn.reporting.drawing.diagram import draw_network
from seqrnn.reporting.drawing.environment import environment
from seqrnn.reporting.sections import EVALUATE, INSPECT, REPORT, Section, measure_sections
from seqrnn.reporting.subject import Measured, Subject

MOST_LABELS = 200
NETWORK = ("cell", "layers", "hidden_size", "bidirectional", "parameters", "tokenizer", "target_tokenizer")
NOT_TILES = frozenset({"task", "tokens", "expected_calibration_error_uncalibrated"})


@dataclass(frozen=True)
class Part:
    """A section as the page shows it: its body as markup, and the command that gives its numbers."""

    name: str
    title: str
    body: Any
    command: str
    note: str = ""


def write_page(subject: Subject) -> str:
    """Return the page as HTML. Raises UsageError where Jinja2 is not installed."""
    sections = [*measure_sections(subject)]
    parts = [_summary(subject, sections), *(_part(section, subject.measured) for section in sections)]
    return render(f"{subject.name}: what it has learnt", str(subject.facts["shape"]), parts)


def render(title: str, subtitle: str, parts: Sequence[Part]) -> str:
    """Put parts together to a page."""
    from markupsafe import Markup

    style = files("seqrnn.reporting.drawing").joinpath("templates", "style.css").read_text("utf-8")
    template = environment().get_template("page.html")
    return template.render(
        title=title, subtitle=subtitle, parts=parts, style=Markup(style), version=__version__
    )


def page_numbers(subject: Subject) -> dict[str, Any]:
    """Return all numbers of a page, by section, in values that JSON can hold."""
    facts = {name: value for name, value in subject.facts.items() if name != "history"}
    numbers: dict[str, Any] = {"run": subject.name, "facts": facts}
    if measured := subject.measured:
        numbers["data"] = {
            "name": measured.data.name,
            "rows": measured.rows,
            "examples": len(measured.examples),
        }
        numbers["figures"] = measured.evaluation.as_json
    sections = {
        section.name: asdict(section.content, dict_factory=_plain) for section in measure_sections(subject)
    }
    return {**numbers, "sections": sections}


def _plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields of a dataclass, without the bytes of images."""
    return {name: value for name, value in pairs if name != "image"}


def body_of(name: str, **values: Any) -> Any:
    """Return the body of a section as markup."""
    from markupsafe import Markup

    return Markup(environment().get_template(f"sections/{name}.html").render(**values))


def _part(section: Section, measured: Measured | None) -> Part:
    body = body_of(section.name, content=section.content)
    note = ""
    if section.sampled and measured:
        note = f"Of {len(measured.examples):,} rows, spread evenly over all {measured.rows:,}."
    return Part(section.name, section.title, body, section.command, note)


def _summary(subject: Subject, sections: Sequence[Section]) -> Part:
    """Return what comes first: the figures, what each section says in a sentence, network and data."""
    facts, measured = subject.facts, subject.measured
    evaluated = measured.evaluated if measured else ""
    command = EVALUATE if evaluated else REPORT if measured else INSPECT
    data = evaluated or (measured.data.argument if measured else "")
    body = body_of(
        "summary",
        figures=_figures(measured),
        told=[(each.name, each.title, each.content.verdict) for each in sections if each.content.verdict],
        metric=facts["metric"],
        notes=measured.evaluation.notes if measured else (),
        diagram=draw_network(subject.task.diagram(), bool(facts["bidirectional"]), str(facts["shape"])),
        network=_network(facts),
        data=_data(facts, measured),
        labels=facts["labels"][:MOST_LABELS],
        label_count=facts["label_count"],
        settings=[(key, _listed(value)) for key, value in facts["settings"].items()],
    )
    told = " ".join(command.format(run=subject.argument, data=data).split(" "))
    return Part("summary", "What was learnt", body, f"{told}; seqrnn inspect {subject.argument}")


def _figures(measured: Measured | None) -> list[tuple[str, Any]]:
    if measured is None:
        return []
    figures = measured.evaluation.figures.items()
    return [
        (name, value)
        for name, value in figures
        if name not in NOT_TILES and (value or not name.startswith("unknown"))
    ]


def _network(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [(name.replace("_", " "), _said(facts[name])) for name in NETWORK if facts[name] is not None]
    rows.append(("kept at update", _said(facts["step"])))
    return [*rows, ("saved", _moment(facts["written"])), ("seqrnn", facts["seqrnn"])]


def _moment(text: str) -> str:
    """Write a time as people do; what a manifest says may be no time at all."""
    with suppress(ValueError, OverflowError):
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return text


def _data(facts: Mapping[str, Any], measured: Measured | None) -> list[tuple[str, str]]:
    """Return what the model has read, and what it was asked."""
    rows = [("task", facts["task"]), ("trained on", ", ".join(facts["trained_on"]))]
    rows.append(("format", facts["format"]))
    if facts["validated_on"]:
        rows.append(("validated on", ", ".join(facts["validated_on"])))
    elif facts["valid_fraction"]:
        rows.append(("held out", f"{100 * facts['valid_fraction']:.3g}% of it, for validation"))
    rows += [(f"{name} column", column) for name, column in facts["columns"].items()]
    rows += [(f"vocabulary of the {name}", f"{size:,}") for name, size in facts["vocabularies"].items()]
    if measured:
        rows.append(("measured on", f"{measured.data.name}: {measured.rows:,} rows"))
    return rows


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else _said(value)
