"""Probabilities held against what came true, and what makes them come true as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from seqrnn.metrics.calibration import (
    JudgedAnswers,
    ThinnedSample,
    calibration_error,
    confidence_of,
    confidences_of,
    coverage_at,
    coverage_curve,
    fit_confidence,
    fit_temperature,
    fit_temperature_each,
    reliability,
    surest_with_temperature,
    with_temperature,
    with_temperature_each,
)
from seqrnn.run.calibration import MIN_TEMPERATURE, Confidence

RANDOM = np.random.default_rng(0)


def log_softmax(scores):
    return scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)


def drawn(examples, temperature):
    """Log-probabilities (N, 5), and labels that were drawn after their scores were divided."""
    scores = RANDOM.normal(size=(examples, 5)) * 3
    true = np.exp(log_softmax(scores / temperature))
    labels = (true.cumsum(axis=1) < RANDOM.random((examples, 1))).sum(axis=1)
    return log_softmax(scores).astype(np.float32), labels


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_by_which_labels_came_about_is_found(temperature):
    log_probs, labels = drawn(20_000, temperature)
    found = fit_temperature(log_probs, labels)
    assert found == pytest.approx(temperature, rel=0.05)
    right = log_probs.argmax(axis=1) == labels
    calibrated = np.exp(with_temperature(log_probs, found).max(axis=1))
    assert calibration_error(calibrated, right) < 0.015


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_so_is_that_of_labels_that_hold_each_by_itself(temperature):
    odds = RANDOM.normal(size=(8_000, 3)) * 3
    labels = (RANDOM.random(odds.shape) < 1 / (1 + np.exp(-odds / temperature))).astype(np.int64)
    log_probs = -np.logaddexp(0, -odds).astype(np.float32)
    assert fit_temperature_each(log_probs, labels) == pytest.approx(temperature, rel=0.06)
    scaled = with_temperature_each(log_probs, temperature)
    np.testing.assert_allclose(np.exp(scaled), 1 / (1 + np.exp(-odds / temperature)), atol=1e-4)


def test_a_few_answers_that_are_all_right_do_not_make_a_model_sure_of_everything():
    log_probs = np.log(np.array([[0.7, 0.2, 0.1]] * 8, dtype=np.float32))
    found = fit_temperature(log_probs, np.zeros(8, dtype=np.int64))
    assert MIN_TEMPERATURE < found < 1
    assert 0.85 < np.exp(with_temperature(log_probs, found).max()) < 0.97
    assert fit_temperature(np.empty((0, 3)), np.empty(0, dtype=np.int64)) == 1.0


def test_a_temperature_changes_no_order_and_keeps_probabilities_that_sum_to_one():
    log_probs, _ = drawn(100, 1.0)
    for temperature in (0.05, 0.5, 3.0, 50.0):
        scaled = with_temperature(log_probs, temperature)
        assert scaled.dtype == log_probs.dtype
        np.testing.assert_allclose(np.exp(scaled).sum(axis=1), 1, rtol=1e-5)
        assert (scaled.argmax(axis=1) == log_probs.argmax(axis=1)).all()
    assert with_temperature(log_probs, 1.0) is log_probs


def test_certain_and_impossible_classes_stay_numbers():
    log_probs = np.array([[0.0, -np.inf]], dtype=np.float32)
    assert np.exp(with_temperature(log_probs, 2.0)).tolist() == [[1.0, 0.0]]
    assert np.exp(with_temperature_each(log_probs, 2.0)).tolist() == [[1.0, 0.0]]
    assert 0.99 < confidence_of(np.array([0.0]), None)[0] <= 1


def test_confidence_in_sequences_is_learnt_from_which_were_right():
    odds = RANDOM.normal(size=20_000) * 3
    right = RANDOM.random(20_000) < 1 / (1 + np.exp(-(0.5 * odds - 1)))
    scores = -np.logaddexp(0, -odds)
    fitted = fit_confidence(scores, right)
    assert (fitted.slope, fitted.offset) == pytest.approx((0.5, -1.0), abs=0.08)
    assert (
        calibration_error(confidence_of(scores, fitted), right)
        < 0.015
        < calibration_error(confidence_of(scores, None), right)
    )
    order = np.argsort(scores)
    assert (np.diff(confidence_of(scores, fitted)[order]) >= 0).all()


def test_where_too_few_are_known_or_none_was_right_nothing_is_learnt():
    scores = np.log(np.linspace(0.1, 0.9, 50))
    assert fit_confidence(scores, np.zeros(50, dtype=bool)) is None
    assert fit_confidence(scores[:9], np.ones(9, dtype=bool)) is None
    assert fit_confidence(np.empty(0), np.empty(0, dtype=bool)) is None


def test_sequences_that_are_all_right_are_as_likely_as_so_many_can_show():
    scores = np.log(np.linspace(0.1, 0.9, 50))
    sure = confidence_of(scores, fit_confidence(scores, np.ones(50, dtype=bool)))
    assert sure.mean() == pytest.approx(51 / 52, abs=0.01)
    assert sure.min() > 0.9


def test_the_bins_and_the_error_are_those_worked_out_by_hand():
    confidence = np.array([0.1, 0.15, 0.6, 1.0])
    right = np.array([False, True, True, True])
    bins = reliability(confidence, right, bins=5)
    assert [(b.lowest, b.count, b.accuracy) for b in bins] == [(0.0, 2, 0.5), (0.6, 1, 1.0), (0.8, 1, 1.0)]
    assert calibration_error(confidence, right, bins=5) == pytest.approx((2 * 0.375 + 0.4 + 0.0) / 4)
    assert calibration_error(np.empty(0), np.empty(0)) is None


def test_coverage_is_of_answers_at_least_so_likely():
    confidence, right = np.array([0.2, 0.5, 0.9, 0.9]), np.array([False, False, True, True])
    half = coverage_at(confidence, right, 0.5)
    assert (half.coverage, half.accuracy) == (0.75, pytest.approx(2 / 3))
    assert coverage_at(confidence, right, 0.95).accuracy is None
    curve = coverage_curve(confidence, right)
    assert (len(curve), curve[0].coverage, curve[-1].coverage) == (101, 1.0, 0.0)


def test_a_thinned_sample_is_spread_over_all_that_came():
    sample = ThinnedSample(most=64)
    for first in range(0, 1000, 7):
        numbers = np.arange(first, min(first + 7, 1000))
        sample.add(np.repeat(numbers[:, None], 2, axis=1).astype(np.float32), numbers)
    log_probs, targets = sample.rows()
    assert 32 <= len(targets) <= 64
    assert len(set(np.diff(targets))) == 1
    assert targets[-1] > 900
    assert (log_probs[:, 0] == targets).all()
    assert ThinnedSample().rows()[0].shape == (0, 1)


def test_a_thinned_sample_of_many_classes_holds_no_more_after_many_batches():
    sample = ThinnedSample(most=64)
    for number in range(3000):
        sample.add(np.full((2, 8), number, dtype=np.float32), np.array([number, number]))
        kept = sum(part.size for part, _ in sample._parts)
        assert kept == sample._size <= 2 * 64
        assert len(sample._parts) <= 17  # what is kept, not a part for each batch
        assert all(part.base is None for part, _ in sample._parts[:1])  # nor all that was before


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_surest_probability_is_that_of_all_classes(temperature):
    log_probs, _ = drawn(50, 1.0)
    every = np.exp(with_temperature(log_probs, temperature))
    assert surest_with_temperature(log_probs, temperature) == pytest.approx(every.max(axis=1), rel=1e-5)


def test_judged_answers_are_joined_in_their_order():
    judged = JudgedAnswers()
    assert len(judged.confidence) == len(judged.right) == 0
    judged.add(np.array([0.5]), np.array([0.6]), np.array([True]))
    judged.add(np.array([0.1]), np.array([0.2]), np.array([False]))
    assert judged.before.tolist() == [0.5, 0.1]
    assert judged.confidence.tolist() == [0.6, 0.2]
    assert judged.right.tolist() == [True, False]


def test_at_most_one_of_several_texts_is_right() -> None:
    fitted = Confidence(slope=2.0, offset=4.0)
    nbest = [("b", -0.6), ("a", -0.7), ("c", -1.5), ("a", -0.9), ("d", -0.5)]
    sure = confidences_of(nbest, fitted)
    first, *alone = confidence_of(np.array([score for _, score in nbest]), fitted).tolist()
    assert first + max(alone) > 1
    assert sure[0] == first
    assert sure[4] == pytest.approx(1 - first)
    assert sure[1] == sure[3] == pytest.approx(0.0)
    unlikely = confidences_of([("b", -3.0), ("a", -3.5), ("c", -4.0)], Confidence(slope=1.0, offset=0.0))
    assert unlikely == pytest.approx(np.exp([-3.0, -3.5, -4.0]))
