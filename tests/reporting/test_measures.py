"""The numbers of a report, held against other ways to compute them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seqrnn.metrics.calibration import Coverage, ReliabilityBin
from seqrnn.metrics.classification import class_table, confusions
from seqrnn.metrics.evaluation import Evaluation
from seqrnn.reporting.measures.calibration import coverage_of, reliability_of
from seqrnn.reporting.measures.classes import MOST_CELLS, MOST_ROWS, class_scores
from seqrnn.reporting.measures.curves import MOST_POINTS, course, learning_curves, thinned
from seqrnn.reporting.measures.lengths import MOST_BINS, by_length


def evaluation_of(actual, chosen, labels):
    rows, pairs = class_table(actual, chosen, labels), confusions(actual, chosen, labels)
    return Evaluation({}, tuple(rows), tuple(pairs))


def drawn_labels(classes, rows=400, right=0.6):
    rng = np.random.default_rng(3)
    actual = rng.integers(classes, size=rows)
    chosen = np.where(rng.random(rows) < right, actual, rng.integers(classes, size=rows))
    return actual, chosen, [f"class {number:04d}" for number in range(classes)]


def test_the_matrix_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import confusion_matrix

    actual, chosen, labels = drawn_labels(7)
    found = class_scores(evaluation_of(actual, chosen, labels))
    assert found is not None
    assert found.matrix is not None
    assert found.matrix.counts == confusion_matrix(actual, chosen, labels=range(7)).tolist()
    assert found.matrix.others == [0] * 7


def test_of_many_classes_those_with_the_most_mistakes_are_shown() -> None:
    actual, chosen, labels = drawn_labels(5000, rows=20_000)
    chosen[actual == 7] = 8
    actual[:50], chosen[:50] = 7, 8
    found = class_scores(evaluation_of(actual, chosen, labels))
    assert found is not None
    assert found.matrix is not None
    assert (found.classes, len(found.rows), len(found.matrix.labels)) == (5000, MOST_ROWS, MOST_CELLS)
    assert {"class 0007", "class 0008"} <= set(found.matrix.labels)
    row = found.matrix.labels.index("class 0007")
    assert sum(found.matrix.counts[row]) + found.matrix.others[row] == (actual == 7).sum()
    assert "“class 0007” is taken for “class 0008”" in found.verdict
    assert found.rows == sorted(found.rows, key=lambda each: (each.f1, -each.support))


def test_a_table_without_pairs_has_no_matrix() -> None:
    actual, chosen, labels = drawn_labels(3)
    found = class_scores(replace(evaluation_of(actual, chosen, labels), confusions=()))
    assert found is not None
    assert found.matrix is None
    assert found.verdict.startswith("Hardest: ")
    perfect = class_scores(evaluation_of(actual, actual, labels))
    assert perfect is not None
    assert perfect.verdict == "No class is taken for another one."
    assert class_scores(Evaluation({})) is None


@pytest.mark.parametrize(
    ("losses", "word"),
    [
        ([3.0, 2.0, 1.0, 1.2, 1.5], "over-fits"),
        ([3.0, 2.0, 1.5, 1.2, 1.0], "still falling"),
        ([3.0, 1.0, 1.0, 1.0, 1.001], "levelled off"),
        ([3.0, 3.01, 3.02, 3.01], "lowest at the first evaluation"),
        ([3.0, 2.0], "Too few"),
    ],
)
def test_the_course_of_a_training_is_told(losses, word) -> None:
    valid = [(10.0 * step, loss) for step, loss in enumerate(losses, start=1)]
    assert word in course(valid, {})


def test_over_fitting_is_told_from_the_epoch_of_the_lowest_loss() -> None:
    valid = [(10.0, 2.0), (20.0, 1.0), (30.0, 1.5), (40.0, 2.0)]
    verdict = course(valid, {20.0: 7.0})
    assert "in epoch 7.0 (update 20)" in verdict
    assert "risen by 100%" in verdict


def test_curves_come_from_the_history_without_its_last_line() -> None:
    lines = [
        {
            "step": step,
            "epoch": step / 10,
            "seconds": step / 5,
            "train_loss": 2.0,
            "loss": 1.0,
            "accuracy": 0.5,
        }
        for step in (10, 20, 30)
    ]
    found = learning_curves([*lines, {"step": 30, "best": True, "loss": 0.9}], "accuracy", 30)
    assert found is not None
    assert found.evaluations == 3
    assert found.metric == [(10, 0.5), (20, 0.5), (30, 0.5)]
    assert found.speed == [(20, pytest.approx(5.0)), (30, pytest.approx(5.0))]
    assert found.rate == []  # of runs from before there was one
    assert learning_curves(lines[:1], "accuracy", 10) is None
    alone = learning_curves(lines[:1], "accuracy", 10, fewest=1)  # beside those of other runs
    assert alone is not None
    assert alone.valid == [(10, 1.0)]


def test_a_short_rest_at_the_end_is_no_fall_of_the_speed() -> None:
    seconds = [(100, 10.0), (200, 20.0), (300, 30.0), (301, 32.0)]
    lines = [{"step": step, "seconds": passed, "loss": 1.0} for step, passed in seconds]
    found = learning_curves(lines, None, 300)
    assert found is not None
    assert found.speed == [(200, pytest.approx(10.0)), (301, pytest.approx(101 / 12))]


def test_long_histories_are_thinned_and_keep_their_ends() -> None:
    points = [(float(step), 1.0) for step in range(10_001)]
    found = thinned(points)
    assert len(found) <= MOST_POINTS + 2
    assert (found[0], found[-1]) == (points[0], points[-1])


def test_bins_by_length_hold_every_example_once() -> None:
    rng = np.random.default_rng(5)
    lengths = rng.integers(1, 60, size=500)
    scores = rng.random(500)
    found = by_length("accuracy", lengths, scores)
    assert found is not None
    assert len(found.bins) <= MOST_BINS
    assert sum(each.count for each in found.bins) == 500
    for each in found.bins:
        inside = scores[(lengths >= each.low) & (lengths <= each.high)]
        assert each.mean == pytest.approx(inside.mean())
        assert each.error == pytest.approx(inside.std(ddof=1) / np.sqrt(len(inside)))
    low, high = (choose(found.bins, key=lambda each: each.mean) for choose in (min, max))
    assert found.verdict == (
        f"Lowest accuracy: {low.mean:.1%} at {low.low} to {low.high} tokens; "
        f"highest: {high.mean:.1%} at {high.low} to {high.high} tokens."
    )
    of_series = by_length("accuracy", np.array([3, 5]).repeat(9), np.arange(2).repeat(9), "step")
    assert of_series is not None
    assert of_series.verdict == "Lowest accuracy: 0.0% at 3 steps; highest: 100.0% at 5 steps."
    nothing_right = by_length("accuracy", lengths, np.zeros(500))
    assert nothing_right is not None
    assert nothing_right.verdict == "The accuracy hardly depends on the length."
    assert by_length("accuracy", np.ones(4, dtype=np.int64), np.ones(4)) is None
    assert by_length("accuracy", np.array([]), np.array([])) is None


def bin_of(confidence, accuracy, count):
    return ReliabilityBin(confidence - 0.05, confidence + 0.05, count, confidence, accuracy)


@pytest.mark.parametrize(
    ("bins", "error", "words"),
    [
        ([bin_of(0.9, 0.7, 100)], 0.2, "It is overconfident"),
        ([bin_of(0.7, 0.9, 100)], 0.2, "It is underconfident"),
        ([bin_of(0.7, 0.9, 100), bin_of(0.9, 0.7, 100)], 0.2, "too low for others"),
        ([bin_of(0.9, 0.9, 100)], 0.0, "can be trusted"),
    ],
)
def test_probabilities_are_judged_by_the_calibration_error(bins, error, words) -> None:
    found = reliability_of(Evaluation({"expected_calibration_error": error}, reliability=tuple(bins)))
    assert found is not None
    assert words in found.verdict
    assert found.decisions == sum(each.count for each in bins)


def test_coverage_is_told_at_a_high_probability() -> None:
    curve = [
        Coverage(lowest, 1 - lowest / 2, 0.8 + lowest / 10) for lowest in np.linspace(0, 1, 101).tolist()
    ]
    found = coverage_of(Evaluation({}, coverage=tuple(curve)))
    assert found is not None
    assert found.verdict == (
        "Of all answers 80.0% are right; of the 55% with a probability of 90% or more, 89.0% are."
    )
    assert [round(each.min_probability, 2) for each in found.table] == [0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99]


def test_nothing_is_said_of_probabilities_that_there_are_not() -> None:
    assert reliability_of(Evaluation({})) is None
    assert coverage_of(Evaluation({})) is None
