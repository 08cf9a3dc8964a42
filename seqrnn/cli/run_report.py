"""What a run is, as a person reads it: facts, the network, data, settings, and how the training went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seqrnn.cli.drawing import INDENT, Paper
from seqrnn.cli.tables import pairs
from seqrnn.data.wording import counted
from seqrnn.library.figures import head, shown
from seqrnn.library.run_facts import points

if TYPE_CHECKING:
    from seqrnn.tasks.diagram import Diagram

MOST_LABELS = 12
OF_LINES = frozenset(
    {"step", "epoch", "seconds", "train_loss", "learning_rate", "best", "unknown_labels", "unknown_tokens"}
)

Facts = Mapping[str, Any]
Section = Iterator[str]


class RunReport:
    """Writes the sections on some paper."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper

    def of(self, facts: Facts, told: Mapping[str, Any], steps: Diagram) -> str:
        """Return all sections; `told` are the facts that come first, `steps` those of the drawing."""
        sections = [
            self._network(steps, bool(facts["bidirectional"])),
            self._data(facts),
            self._settings(facts["settings"]),
            self._history(facts["history"], facts["metric"]),
        ]
        drawn = ("".join(f"{line}\n" for line in section) for section in sections)
        return "\n".join([pairs(told), *filter(None, drawn)])

    def _network(self, steps: Diagram, both_ways: bool) -> Section:
        yield "Network"
        yield from self._paper.network(steps, both_ways)

    def _data(self, facts: Facts) -> Section:
        yield "Data"
        names = ", ".join(facts["trained_on"])
        yield self._paper.clipped(f"{INDENT}{names}, read as {facts['format']}", self._paper.width)
        if facts["validated_on"]:
            validated = ", ".join(facts["validated_on"])
            yield self._paper.clipped(f"{INDENT}validated on {validated}", self._paper.width)
        elif facts["valid_fraction"]:
            yield f"{INDENT}{facts['valid_fraction']:.3g} of it held out to validate on"
        columns = [f"{name} {column}" for name, column in facts["columns"].items()]
        if columns:
            yield from self._paper.wrapped(f"columns: {'; '.join(columns)}")
        for name, size in facts["vocabularies"].items():
            yield f"{INDENT}vocabulary of the {name}: {size:,}"
        if facts["labels"]:
            more = ", ..." if facts["label_count"] > MOST_LABELS else ""
            named = ", ".join(facts["labels"][:MOST_LABELS])
            yield from self._paper.wrapped(f"labels ({facts['label_count']:,}): {named}{more}")

    def _settings(self, settings: Mapping[str, Any]) -> Section:
        if settings:
            yield "Settings that differ from the defaults of the task"
        for key, value in settings.items():
            yield self._paper.clipped(f"{INDENT}{key}: {value}", self._paper.width)

    def _history(self, history: Sequence[Mapping[str, Any]], metric: str | None) -> Section:
        lines = [line for line in history if not line.get("best")]
        if not lines:
            return
        yield f"History of {counted(len(lines), 'evaluation')}"
        train_mark, valid_mark = reversed(self._paper.marks)
        series = [(train_mark, points(lines, "train_loss")), (valid_mark, points(lines, "loss"))]
        if any(len(found) > 1 for _, found in series):
            yield f"{INDENT}loss by updates: {train_mark} in training, {valid_mark} in validation"
            yield from self._paper.curves(series)
        for name in (name for name in lines[-1] if name not in OF_LINES):
            yield from self._course(name, points(lines, name), name == metric)

    def _course(self, name: str, found: Sequence[tuple[float, float]], decides: bool) -> Section:
        """Say how a figure began and ended, and of the one that decides which step has the best weights."""
        if found:
            first, last = (shown(name, float(value)) for _, value in (found[0], found[-1]))
            mark = ", which decides what is best" if decides else ""
            yield from self._paper.wrapped(f"{head(name)}: {first} at first, {last} at last{mark}")
