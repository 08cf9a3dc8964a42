from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
import pytest

from seqrnn.metrics.classification import (
    ClassScores,
    Confusion,
    class_table,
    classification_scores,
    confusions,
)

LABELS = ["bike", "car", "ship", "train"]
#                  b  b  b  b  c  c  s  s
ACTUAL = np.array([0, 0, 0, 0, 1, 1, 2, 2])
TAKEN = np.array([0, 0, 1, 2, 1, 0, 1, 1])


def f1(right: int, claimed: int, true: int) -> float:
    return 2 * right / (claimed + true)


def test_single_label_scores_agree_with_counts_made_by_hand():
    scores = classification_scores(ACTUAL, TAKEN)
    assert scores["accuracy"] == pytest.approx(3 / 8)
    assert scores["micro_f1"] == pytest.approx(3 / 8)  # one label an example: micro F1 is accuracy
    assert scores["macro_f1"] == pytest.approx((f1(2, 3, 4) + f1(1, 4, 2) + f1(0, 1, 2)) / 3)


def test_a_class_that_never_occurs_does_not_lower_macro_f1():
    assert classification_scores(np.array([0, 3]), np.array([0, 3]))["macro_f1"] == 1.0


def test_the_table_has_a_row_for_every_label_in_order():
    table = class_table(ACTUAL, TAKEN, LABELS)
    assert [row.label for row in table] == LABELS
    assert table[0] == ClassScores("bike", pytest.approx(2 / 3), 0.5, pytest.approx(f1(2, 3, 4)), 4)
    assert table[1] == ClassScores("car", 0.25, 0.5, pytest.approx(f1(1, 4, 2)), 2)
    assert table[2] == ClassScores("ship", 0.0, 0.0, 0.0, 2)
    assert table[3] == ClassScores("train", 0.0, 0.0, 0.0, 0)


def test_confusions_come_most_frequent_first():
    assert confusions(ACTUAL, TAKEN, LABELS) == [
        Confusion("ship", "car", 2),
        Confusion("bike", "car", 1),
        Confusion("bike", "ship", 1),
        Confusion("car", "bike", 1),
    ]


def test_perfect_answers_have_no_confusions():
    assert confusions(ACTUAL, ACTUAL, LABELS) == []


MANY = np.array([[1, 1, 0], [0, 0, 0], [1, 0, 1], [0, 1, 0]])
FOUND = np.array([[1, 1, 0], [0, 0, 0], [1, 1, 0], [0, 0, 0]])


def test_multi_label_accuracy_wants_all_labels_of_an_example():
    scores = classification_scores(MANY, FOUND)
    assert scores["accuracy"] == 0.5
    assert scores["micro_f1"] == pytest.approx(f1(3, 4, 5))
    assert scores["macro_f1"] == pytest.approx((f1(2, 2, 2) + f1(1, 2, 2) + f1(0, 0, 1)) / 3)


def test_the_multi_label_table_counts_each_label_for_itself():
    table = class_table(MANY, FOUND, ["a", "b", "c"])
    assert [astuple(row) for row in table] == [
        ("a", 1.0, 1.0, 1.0, 2),
        ("b", 0.5, 0.5, 0.5, 2),
        ("c", 0.0, 0.0, 0.0, 1),
    ]


def test_finding_nothing_where_nothing_was_to_be_found_is_right():
    nothing = np.zeros((3, 2), dtype=np.int64)
    assert classification_scores(nothing, nothing) == {"accuracy": 1.0, "macro_f1": 1.0, "micro_f1": 1.0}


def test_scores_are_plain_numbers():
    for scores in (classification_scores(ACTUAL, TAKEN), classification_scores(MANY, FOUND)):
        assert all(type(value) is float and math.isfinite(value) for value in scores.values())
    assert [type(value) for value in astuple(class_table(ACTUAL, TAKEN, LABELS)[0])] == [
        str,
        float,
        float,
        float,
        int,
    ]
