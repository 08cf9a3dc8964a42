"""Whether the examples of a sample bear several labels each, told from cells, lists and fastText's marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from seqrnn.data.column_sample import MAX_LABEL_LENGTH, MAX_LABEL_WORDS, RECURRING
from seqrnn.data.formats.numbers import is_number
from seqrnn.data.label_evidence import label_likelihood
from seqrnn.data.sample import Sample
from seqrnn.data.source import labels_in_list

SEPARATORS = ("|", ";", ",")
FEWEST = 0.05  # share of the cells, at least, that hold more than one label
LIKELY = 0.5  # that the values of lists are labels


class SeveralLabels(NamedTuple):
    """That examples bear several labels: apart by a `separator` where a cell holds them, and the evidence."""

    separator: str | None
    evidence: str


def several_labels(sample: Sample) -> SeveralLabels | None:
    """Return how the examples of a sample bear several labels, or None where each has one."""
    if sample.targets_are_classes:
        return _counted(sample)
    if sample.is_aligned or not sample.targets.filled:
        return None
    if _come_in_lists(sample):
        return _counted(sample) if label_likelihood(sample.targets, ()) >= LIKELY else None
    cells = sample.targets.texts
    if any(len(record.targets) > 1 for record in sample.records):
        return None  # further targets are other right answers
    lists = [labels for cell in cells if (labels := labels_in_list(cell)) is not None]
    if len(lists) == len(cells) and _recur([label for labels in lists for label in labels]):
        return SeveralLabels(None, f"lists in the cells, such as {cells[0][:40]!r}")
    found = (separator for separator in SEPARATORS if _separates(cells, separator))
    separator = next(found, None)
    if separator is None:
        return None
    example = next(cell for cell in cells if separator in cell)
    return SeveralLabels(
        separator, f"{separator!r} between labels that also come in other company: {example[:40]!r}"
    )


def _counted(sample: Sample) -> SeveralLabels | None:
    several = sum(len(record.labels) > 1 for record in sample.records)
    if not several:
        return None
    return SeveralLabels(
        None, f"more than one label in {several:,} of the first {len(sample.records):,} rows"
    )


def _come_in_lists(sample: Sample) -> bool:
    """Whether the targets of each record are a list in one of its fields."""
    return all(
        any(
            isinstance(value, list) and tuple(map(str, value)) == record.targets
            for value in record.fields.values()
        )
        for record in sample.records
    )


def _separates(cells: Sequence[str], separator: str) -> bool:
    """Whether what is between separators are labels: short, and fewer than their combinations."""
    parts = [[part.strip() for part in cell.split(separator)] for cell in cells]
    together = [labels for labels in parts if len(labels) > 1]
    if len(together) < max(1, FEWEST * len(cells)) or any(not all(labels) for labels in together):
        return False
    known = {label for labels in parts for label in labels}
    if all(map(is_number, known)) or not _recur([label for labels in parts for label in labels]):
        return False
    alone = {labels[0] for labels in parts if len(labels) == 1}
    combinations = {tuple(labels) for labels in parts}
    most = len(combinations) - (separator == ",")  # which also is a part of names
    fewer = len(known) <= most
    return fewer and (bool(alone & {label for labels in together for label in labels}) or not alone)


def _recur(labels: Sequence[str]) -> bool:
    short = all(len(one) <= MAX_LABEL_LENGTH and len(one.split()) <= MAX_LABEL_WORDS for one in labels)
    return short and len(set(labels)) - 1 <= RECURRING * max(1, len(labels) - 1)
