"""Tests of differences, held against scipy and cases worked out by hand; and how long networks remember."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import permutation_test

from seqrnn.reporting.measures.paired_tests import compare, mcnemar, sign_flips
from seqrnn.reporting.measures.states import MOST_STEPS, hidden_states


@pytest.mark.parametrize(
    ("better", "worse", "p_value"),
    [(5, 0, 0.0625), (1, 1, 1.0), (8, 2, 0.109375), (0, 0, 1.0)],  # sums of binomial coefficients over 2**n
)
def test_mcnemar_is_exact(better, worse, p_value) -> None:
    differences = np.array([1.0] * better + [-1.0] * worse + [0.0] * 7)
    assert mcnemar(differences) == pytest.approx(p_value)


def test_flipped_signs_are_those_of_scipy() -> None:
    rng = np.random.default_rng(4)
    differences = rng.normal(0.15, 1.0, size=12)
    exact = permutation_test((differences,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert sign_flips(differences, np.random.default_rng(1)) == pytest.approx(exact.pvalue, abs=0.02)


def test_a_difference_has_its_mean_interval_and_test() -> None:
    rng = np.random.default_rng(6)
    first = (rng.random(400) < 0.6).astype(float)
    second = np.where(rng.random(400) < 0.3, 1.0, first)
    found = compare(("a", "b"), first, second)
    assert found.difference == pytest.approx(second.mean() - first.mean())
    assert found.low < found.difference < found.high
    assert found.test == "McNemar"
    assert found.p_value < 1e-6
    assert compare(("a", "a"), first, first).p_value == 1.0
    assert compare(("a", "b"), first * 0.5, second).test == "sign flips"


def test_the_same_models_compared_twice_give_the_same_numbers() -> None:
    rng = np.random.default_rng(7)
    first, second = rng.random(50), rng.random(50)
    assert compare(("a", "b"), first, second) == compare(("a", "b"), first, second)


def test_chance_is_told_as_chance_as_often_as_it_says() -> None:
    rng = np.random.default_rng(8)
    told = sum(compare(("a", "b"), *(rng.random((2, 40)) < 0.7).astype(float)).is_told for _ in range(60))
    assert told <= 8  # 5 % of 60 are 3; an exact test is told less often rather than more


def test_memory_is_a_mean_over_rows_that_are_long_enough() -> None:
    rows = [
        (np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.4])),
        (np.array([3.0, 4.0, 5.0]), np.array([0.1, 0.2, 0.4])),
        (np.array([5.0]), np.array([1.0])),
    ]
    found = hidden_states(rows)
    assert found is not None
    assert found.rows == 2  # one step is no course
    assert [height for _, height in found.norms] == [2.0, 3.0, 4.0]
    assert found.reach == [(0.0, 1.0), (1.0, pytest.approx(0.5)), (2.0, pytest.approx(0.25))]
    assert found.gone is None
    assert hidden_states([]) is None


def test_a_gradient_that_vanishes_is_gone_from_a_step_on() -> None:
    back = 0.5 ** np.arange(30)
    found = hidden_states([(np.ones(30), back[::-1])])
    assert found is not None
    assert found.gone == 7  # 0.5**7 is the first below a hundredth
    assert "7 or more steps before it" in found.verdict
    long = hidden_states([(np.ones(1000), np.ones(1000))])
    assert long is not None
    assert len(long.reach) == MOST_STEPS
