"""How often a classifier is right, over all and for each class.

Predictions and truth are given alike: for single-label data as class indices (N,), for multi-label
data as matrices of 0 and 1, (N, classes), which may be sparse. Each function needs at least one example.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = Any  # an array of integers or, for many labels that are never chosen, a sparse matrix of scipy


@dataclass(frozen=True, slots=True)
class ClassScores:
    """How one class fared; rates are fractions, `support` is the number of true examples."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many examples of the class `actual` were taken for the class `predicted`."""

    actual: str
    predicted: str
    count: int


def classification_scores(actual: Labels, predicted: Labels) -> dict[str, float]:
    """Return `accuracy`, `macro_f1` and `micro_f1`, as fractions.

    Multi-label accuracy is the share of examples whose labels are all right and complete. Macro F1
    is the mean over the classes that occur in `actual` or in `predicted`.
    """
    from sklearn.metrics import accuracy_score, f1_score

    def f1(average: str) -> float:
        # Undefined only where nothing was to be found and nothing was claimed, which is all right.
        score = f1_score(actual, predicted, average=average, zero_division=np.nan)
        return float(np.nan_to_num(score, nan=1.0))

    return {
        "accuracy": float(accuracy_score(actual, predicted)),
        "macro_f1": f1("macro"),
        "micro_f1": f1("micro"),
    }


def with_unknown_labels(
    actual: NDArray[Any], chosen: NDArray[Any], unknown: NDArray[np.int64], labels: int
) -> tuple[Labels, Labels]:
    """Widen multi-label matrices (N, K) to `labels` columns, of labels that no model chooses.

    `unknown` (2, M) holds the rows and the columns of those that are right. The matrices are sparse:
    there may be as many unknown labels as examples.
    """
    from scipy.sparse import csr_matrix

    rows, columns = (np.concatenate(pair) for pair in zip(np.nonzero(actual), unknown, strict=True))
    shape = (len(actual), labels)
    return (
        csr_matrix((np.ones(len(rows), dtype=np.int64), (rows, columns)), shape=shape),
        csr_matrix((np.ones(np.count_nonzero(chosen), dtype=np.int64), np.nonzero(chosen)), shape=shape),
    )


def class_table(actual: Labels, predicted: Labels, labels: Sequence[str]) -> list[ClassScores]:
    """Return the scores of each class, in the order of `labels`; a rate of 0/0 counts as 0."""
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(
        actual, predicted, labels=np.arange(len(labels)), zero_division=0.0
    )
    rows = zip(labels, *(column.tolist() for column in columns), strict=True)
    return [ClassScores(*row) for row in rows]


def confusions(actual: Labels, predicted: Labels, labels: Sequence[str]) -> list[Confusion]:
    """Return the confused pairs of classes of single-label data, the most frequent first."""
    wrong = actual != predicted
    pairs, counts = np.unique(np.stack((actual[wrong], predicted[wrong]), axis=1), axis=0, return_counts=True)
    found = [
        Confusion(labels[truth], labels[taken], count)
        for (truth, taken), count in zip(pairs.tolist(), counts.tolist(), strict=True)
    ]
    return sorted(found, key=lambda confusion: -confusion.count)
