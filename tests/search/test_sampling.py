from __future__ import annotations

import math

import numpy as np
import pytest

from seqrnn.errors import NumericError, UsageError
from seqrnn.search.sampling import (
    Sampling,
    choose,
    draw,
    drop_repeated_ngrams,
    heat,
    keep_top_k,
    keep_top_p,
    penalize_repetition,
)

NOTHING_YET = np.empty((1, 0), dtype=np.int64)


def logs(*probabilities: float) -> np.ndarray:
    """One row of log-probabilities."""
    with np.errstate(divide="ignore"):
        return np.log(np.array([probabilities]))


def kept(scores: np.ndarray) -> list[int]:
    """The tokens of the first row that can still be chosen."""
    return np.nonzero(np.isfinite(scores[0]))[0].tolist()


def test_temperature_zero_takes_the_likeliest_token_whatever_the_seed():
    log_probs = np.vstack((logs(0.2, 0.5, 0.3), logs(0.6, 0.3, 0.1)))
    history = np.empty((2, 0), dtype=np.int64)
    for seed in range(20):
        tokens = choose(log_probs, history, Sampling(temperature=0), np.random.default_rng(seed))
        assert tokens.tolist() == [1, 0]


def test_drawn_frequencies_follow_the_probabilities():
    probabilities = np.array([0.05, 0.0, 0.15, 0.5, 0.3])
    draws = 20_000
    with np.errstate(divide="ignore"):
        scores = np.broadcast_to(np.log(probabilities), (draws, 5))
    counts = np.bincount(draw(scores, np.random.default_rng(7)), minlength=5)
    assert counts[1] == 0
    possible = probabilities > 0
    expected = draws * probabilities[possible]
    chi_square = ((counts[possible] - expected) ** 2 / expected).sum()
    assert chi_square < 16.27  # 3 degrees of freedom, p = 0.001


def test_each_row_is_drawn_from_its_own_distribution():
    rows = np.repeat(np.vstack((logs(0.9, 0.1), logs(0.2, 0.8))), 5_000, axis=0)
    first = draw(rows, np.random.default_rng(3)) == 0
    assert first[:5_000].mean() == pytest.approx(0.9, abs=0.02)
    assert first[5_000:].mean() == pytest.approx(0.2, abs=0.02)


def test_the_same_seed_draws_the_same_tokens():
    scores = np.broadcast_to(logs(0.25, 0.25, 0.25, 0.25), (50, 4))
    once, again, other = (draw(scores, np.random.default_rng(seed)).tolist() for seed in (5, 5, 6))
    assert once == again
    assert once != other


def test_temperature_is_the_exponent_of_the_probabilities():
    heated = np.exp(heat(logs(0.64, 0.32, 0.04), 0.5))
    squares = np.array([0.64**2, 0.32**2, 0.04**2])
    assert heated[0] / heated.sum() == pytest.approx(squares / squares.sum())


def test_a_tiny_temperature_leaves_only_the_likeliest_token():
    heated = heat(logs(0.3, 0.4, 0.3), 1e-320)
    assert {int(draw(heated, np.random.default_rng(seed))[0]) for seed in range(50)} == {1}


def test_top_k_keeps_exactly_k_tokens_even_of_equal_ones():
    assert kept(keep_top_k(logs(0.1, 0.4, 0.2, 0.3), 2)) == [1, 3]
    assert len(kept(keep_top_k(logs(0.25, 0.25, 0.25, 0.25), 3))) == 3
    assert kept(keep_top_k(logs(0.5, 0.5), 9)) == [0, 1]
    assert kept(keep_top_k(logs(0.5, 0.5), 0)) == [0, 1]


@pytest.mark.parametrize(
    ("p", "tokens"),
    [
        (0.01, [2]),
        (0.49, [2]),
        (0.51, [0, 2]),
        (0.79, [0, 2]),
        (0.81, [0, 2, 3]),
        (0.96, [0, 1, 2, 3]),
        (1.0, [0, 1, 2, 3]),
    ],
)
def test_top_p_keeps_the_smallest_set_with_that_mass(p, tokens):
    assert kept(keep_top_p(logs(0.3, 0.05, 0.5, 0.15), p)) == tokens


def test_top_p_counts_the_mass_of_what_top_k_left():
    # Of what is left, 0.4 and 0.2, the first has two thirds.
    left = keep_top_k(logs(0.4, 0.2, 0.19, 0.21 - 0.02), 2)
    assert kept(keep_top_p(left, 0.6)) == [0]
    assert kept(keep_top_p(left, 0.7)) == [0, 1]


def test_the_kept_tokens_keep_their_scores():
    scores = logs(0.3, 0.05, 0.5, 0.15)
    np.testing.assert_array_equal(keep_top_p(scores, 0.6)[0, [0, 2]], scores[0, [0, 2]])
    np.testing.assert_array_equal(keep_top_k(scores, 2)[0, [0, 2]], scores[0, [0, 2]])


def test_a_filter_does_not_change_what_it_was_given():
    scores = logs(0.3, 0.05, 0.5, 0.15)
    before = scores.copy()
    history = np.array([[2, 0, 2]])
    choose(scores, history, Sampling(0.7, 3, 0.9, 1.3, 2), np.random.default_rng(1))
    np.testing.assert_array_equal(scores, before)


def test_the_penalty_makes_a_chosen_token_less_likely_by_the_power():
    penalized = np.exp(penalize_repetition(logs(0.5, 0.3, 0.2), np.array([[0, 0]]), 2.0))
    assert penalized[0] == pytest.approx([0.25, 0.3, 0.2])  # 0.5 ** 2, once, however often it came


def test_the_penalty_looks_only_at_the_row_s_own_history():
    scores = np.vstack((logs(0.5, 0.5), logs(0.5, 0.5)))
    penalized = np.exp(penalize_repetition(scores, np.array([[0], [1]]), 2.0))
    assert penalized == pytest.approx(np.array([[0.25, 0.5], [0.5, 0.25]]))


def test_a_penalty_below_one_favours_repetition():
    penalized = penalize_repetition(logs(0.25, 0.75), np.array([[0]]), 0.5)
    assert math.exp(penalized[0, 0]) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("size", "history", "tokens"),
    [
        (1, [0, 2], [1, 3]),  # no token twice
        (2, [0, 1, 2, 0], [0, 2, 3]),  # 0 1 was there
        (2, [0, 1, 0, 2, 0], [0, 3]),  # 0 1 and 0 2 were there
        (2, [3, 3], [0, 1, 2]),
        (3, [0, 1, 2, 0, 1], [0, 1, 3]),  # 0 1 2 was there
        (3, [0, 1, 2, 3, 1], [0, 1, 2, 3]),  # 3 1 never was followed
        (3, [0, 1], [0, 1, 2, 3]),
        (0, [0, 0, 0], [0, 1, 2, 3]),
    ],
)
def test_a_token_that_would_repeat_an_n_gram_is_dropped(size, history, tokens):
    assert kept(drop_repeated_ngrams(logs(0.25, 0.25, 0.25, 0.25), np.array([history]), size)) == tokens


def test_a_row_that_has_used_up_every_token_may_repeat():
    scores = np.vstack((logs(0.5, 0.5), logs(0.5, 0.5)))
    left = drop_repeated_ngrams(scores, np.array([[0, 1], [1, 1]]), 1)
    assert np.isfinite(left).tolist() == [[True, True], [True, False]]


def test_greedy_search_heeds_penalty_and_n_grams():
    history = np.array([[0]])
    rng = np.random.default_rng(1)
    log_probs = logs(0.5, 0.3, 0.2)
    assert choose(log_probs, history, Sampling(0, repetition_penalty=3.0), rng).tolist() == [1]
    assert choose(log_probs, history, Sampling(0, no_repeat_ngram=1), rng).tolist() == [1]


def test_top_k_of_one_is_greedy():
    log_probs = np.broadcast_to(logs(0.3, 0.36, 0.34), (200, 3))
    history = np.empty((200, 0), dtype=np.int64)
    assert set(choose(log_probs, history, Sampling(5.0, top_k=1), np.random.default_rng(1))) == {1}


@pytest.mark.parametrize("row", [(math.nan, -1.0), (-math.inf, -math.inf)])
def test_a_row_without_a_number_is_a_numeric_error(row):
    log_probs = np.array([[-0.5, -1.0], row])
    with pytest.raises(NumericError, match="nan"):
        choose(log_probs, np.empty((2, 0), dtype=np.int64), Sampling(), np.random.default_rng(1))


def test_single_precision_is_enough():
    log_probs = logs(0.6, 0.3, 0.1).astype(np.float32)
    tokens = {
        int(choose(log_probs, NOTHING_YET, Sampling(top_p=0.85), np.random.default_rng(seed))[0])
        for seed in range(50)
    }
    assert tokens == {0, 1}


@pytest.mark.parametrize(
    ("setting", "flag"),
    [
        ({"temperature": -0.1}, "--temperature -0.1"),
        ({"temperature": math.nan}, "--temperature nan"),
        ({"temperature": math.inf}, "--temperature inf"),
        ({"top_k": -1}, "--top-k -1"),
        ({"top_p": 0.0}, "--top-p 0.0"),
        ({"top_p": 1.5}, "--top-p 1.5"),
        ({"repetition_penalty": 0.0}, "--repetition-penalty 0.0"),
        ({"no_repeat_ngram": -2}, "--no-repeat-ngram -2"),
        ({"seed": -1}, "--seed -1"),
    ],
)
def test_a_setting_out_of_range_names_its_flag(setting, flag):
    with pytest.raises(UsageError, match=f"^{flag}: out of range; give "):
        Sampling(**setting)
