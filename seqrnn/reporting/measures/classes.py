"""Which classes are found, and which are taken for which; all from what `seqrnn evaluate` measures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from seqrnn.metrics.classification import ClassScores, Confusion
from seqrnn.metrics.evaluation import Evaluation

MOST_ROWS = 200  # classes of the table
MOST_CELLS = 24  # classes of the matrix
MOST_PAIRS = 10


@dataclass(frozen=True)
class Matrix:
    """How many examples of each class, a row each, were taken for each class, a column each.

    `others` counts those of each row that were taken for classes that are not among the `labels`.
    """

    labels: Sequence[str]
    counts: Sequence[Sequence[int]]
    others: Sequence[int]


@dataclass(frozen=True)
class Classes:
    """The scores of `rows`, all `classes` or those with the lowest F1, and what is confused most."""

    classes: int
    rows: Sequence[ClassScores]
    matrix: Matrix | None
    pairs: Sequence[Confusion]
    verdict: str


def class_scores(evaluation: Evaluation) -> Classes | None:
    """Return the table and the matrix of an evaluation; None where there are no classes."""
    rows, pairs = evaluation.classes, evaluation.confusions
    if not rows:
        return None
    known = bool(pairs) or all(row.f1 == 1 for row in rows if row.support)  # several labels have none
    matrix = confusion_matrix(rows, pairs) if known and (pairs or len(rows) <= MOST_CELLS) else None
    return Classes(len(rows), _hardest(rows), matrix, pairs[:MOST_PAIRS], _verdict(rows, pairs, known))


def confusion_matrix(rows: Sequence[ClassScores], pairs: Sequence[Confusion]) -> Matrix:
    """Lay confused pairs out as a matrix: of all classes, or of those with the most mistakes."""
    mistakes: Counter[str] = Counter()
    for pair in pairs:
        mistakes[pair.actual] += pair.count
        mistakes[pair.predicted] += pair.count
    order = [row.label for row in rows]
    if len(order) > MOST_CELLS:
        chosen = {label for label, _ in mistakes.most_common(MOST_CELLS)}
        order = [label for label in order if label in chosen]
    index_of = {label: index for index, label in enumerate(order)}
    counts = [[0] * len(order) for _ in order]
    others = [0] * len(order)
    for row in rows:
        if row.label in index_of:
            counts[index_of[row.label]][index_of[row.label]] = round(row.recall * row.support)
    for pair in pairs:
        if pair.actual not in index_of:
            continue
        if pair.predicted in index_of:
            counts[index_of[pair.actual]][index_of[pair.predicted]] = pair.count
        else:
            others[index_of[pair.actual]] += pair.count
    return Matrix(order, counts, others)


def _hardest(rows: Sequence[ClassScores]) -> list[ClassScores]:
    """Return all rows, or those that occur and have the lowest F1."""
    if len(rows) <= MOST_ROWS:
        return list(rows)
    occurring = sorted((row for row in rows if row.support), key=lambda row: (row.f1, -row.support))
    return occurring[:MOST_ROWS]


def _verdict(rows: Sequence[ClassScores], pairs: Sequence[Confusion], known: bool) -> str:
    if pairs:
        first = pairs[0]
        support = next(row.support for row in rows if row.label == first.actual)
        return (
            f"Most often confused: “{first.actual}” is taken for “{first.predicted}” "
            f"({first.count:,} of {support:,})."
        )
    if known:
        return "No class is taken for another one."
    occurring = [row for row in rows if row.support]
    worst = min(occurring, key=lambda row: row.f1, default=None)
    return f"Hardest: “{worst.label}”, with an F1 of {worst.f1:.1%}." if worst else ""
