from __future__ import annotations

import math

import numpy as np
import pytest

from seqrnn.errors import NumericError, UsageError
from seqrnn.search.sampling import (
    Sampling,
    TokenSampler,
    drop_repeated_ngrams,
    keep_top_k,
    keep_top_p,
    penalize_repetition,
)


def choose(logits: np.ndarray, sampling: Sampling, history: np.ndarray | None = None) -> np.ndarray:
    """One token a row, nothing forbidden."""
    nothing_yet = np.empty((len(logits), 0), dtype=np.int64)
    return TokenSampler(sampling, (), logits.shape)(logits, nothing_yet if history is None else history)


def logs(*probabilities: float) -> np.ndarray:
    """One row of log-probabilities."""
    with np.errstate(divide="ignore"):
        return np.log(np.array([probabilities]))


def kept(scores: np.ndarray) -> list[int]:
    """The tokens of the first row that can still be chosen."""
    return np.nonzero(np.isfinite(scores[0]))[0].tolist()


def test_temperature_zero_takes_the_likeliest_token_whatever_the_seed():
    log_probs = np.vstack((logs(0.2, 0.5, 0.3), logs(0.6, 0.3, 0.1)))
    for seed in range(20):
        assert choose(log_probs, Sampling(temperature=0, seed=seed)).tolist() == [1, 0]


@pytest.mark.parametrize("shift", [0.0, 30.0])  # logits know their constant no more than log-probabilities
def test_drawn_frequencies_follow_the_probabilities(shift):
    probabilities = np.array([0.05, 0.0, 0.15, 0.5, 0.3])
    draws = 20_000
    with np.errstate(divide="ignore"):
        scores = np.broadcast_to(np.log(probabilities), (draws, 5))
    counts = np.bincount(choose(scores + shift, Sampling(seed=7)), minlength=5)
    assert counts[1] == 0
    possible = probabilities > 0
    expected = draws * probabilities[possible]
    chi_square = ((counts[possible] - expected) ** 2 / expected).sum()
    assert chi_square < 16.27  # 3 degrees of freedom, p = 0.001


def test_each_row_is_drawn_from_its_own_distribution():
    rows = np.repeat(np.vstack((logs(0.9, 0.1), logs(0.2, 0.8))), 5_000, axis=0)
    first = choose(rows, Sampling(seed=3)) == 0
    assert first[:5_000].mean() == pytest.approx(0.9, abs=0.02)
    assert first[5_000:].mean() == pytest.approx(0.2, abs=0.02)


def test_the_same_seed_draws_the_same_tokens():
    scores = np.broadcast_to(logs(0.25, 0.25, 0.25, 0.25), (50, 4))
    once, again, other = (choose(scores, Sampling(seed=seed)).tolist() for seed in (5, 5, 6))
    assert once == again
    assert once != other


def test_the_draws_of_all_steps_are_independent():
    fair, nothing = logs(0.5, 0.5), np.empty((1, 0), dtype=np.int64)
    chooser = TokenSampler(Sampling(seed=2), (), fair.shape)
    drawn = np.array([chooser(fair, nothing)[0] for _ in range(40_000)])  # several blocks of noise
    pairs = np.bincount(drawn[:-1] * 2 + drawn[1:], minlength=4) / len(drawn)
    assert pairs == pytest.approx([0.25] * 4, abs=0.01)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_is_the_exponent_of_the_probabilities(temperature):
    rows = np.repeat(logs(0.64, 0.32, 0.04), 40_000, axis=0)
    powers = np.array([0.64, 0.32, 0.04]) ** (1 / temperature)
    rates = np.bincount(choose(rows, Sampling(temperature)), minlength=3) / len(rows)
    assert rates == pytest.approx(powers / powers.sum(), abs=0.01)


def test_a_tiny_temperature_leaves_only_the_likeliest_token():
    row = logs(0.3, 0.4, 0.3)
    assert {int(choose(row, Sampling(1e-320, seed=seed))[0]) for seed in range(50)} == {1}


def test_at_a_huge_temperature_all_tokens_are_equally_likely():
    rows = np.repeat(logs(0.98, 0.01, 0.01), 10_000, axis=0)
    rates = np.bincount(choose(rows, Sampling(1e300)), minlength=3) / len(rows)
    assert rates == pytest.approx([1 / 3] * 3, abs=0.02)


def test_a_forbidden_token_is_never_chosen():
    rows = np.repeat(logs(0.9, 0.06, 0.04), 200, axis=0)
    nothing = np.empty((200, 0), dtype=np.int64)
    for sampling in (Sampling(0), Sampling(1), Sampling(1, top_k=1), Sampling(9, top_p=0.5)):
        assert 0 not in TokenSampler(sampling, [0], rows.shape)(rows, nothing)


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


def test_top_p_counts_the_mass_at_the_temperature():
    scores = logs(0.4, 0.3, 0.3)  # squared and brought to a sum of 1: 0.47, 0.26, 0.26
    assert kept(keep_top_p(scores, 0.45)) == [0, 1]
    assert kept(keep_top_p(scores, 0.45, temperature=0.5)) == [0]
    assert kept(keep_top_p(scores, 0.99, temperature=0)) == [0]


def test_the_kept_tokens_keep_their_scores():
    scores = logs(0.3, 0.05, 0.5, 0.15)
    np.testing.assert_array_equal(keep_top_p(scores, 0.6)[0, [0, 2]], scores[0, [0, 2]])
    np.testing.assert_array_equal(keep_top_k(scores, 2)[0, [0, 2]], scores[0, [0, 2]])


def test_a_filter_does_not_change_what_it_was_given():
    scores = logs(0.3, 0.05, 0.5, 0.15)
    before = scores.copy()
    history = np.array([[2, 0, 2]])
    choose(scores, Sampling(0.7, 3, 0.9, 1.3, 2), history)
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
    for shift in (0.0, 30.0):  # a penalty on logits as they come would depend on their constant
        logits = logs(0.5, 0.3, 0.2) + shift
        assert choose(logits, Sampling(0, repetition_penalty=3.0), history).tolist() == [1]
        assert choose(logits, Sampling(0, no_repeat_ngram=1), history).tolist() == [1]


def test_top_k_of_one_is_greedy():
    log_probs = np.broadcast_to(logs(0.3, 0.36, 0.34), (200, 3))
    assert set(choose(log_probs, Sampling(5.0, top_k=1))) == {1}


@pytest.mark.parametrize("row", [(math.nan, -1.0), (-math.inf, -math.inf)])
@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("sampling", [Sampling(0), Sampling(1)])
def test_a_row_without_a_number_is_a_numeric_error(row, rows, sampling):
    logits = np.array([[-0.5, -1.0], row])[-rows:]
    with pytest.raises(NumericError, match="nan"):
        choose(logits, sampling)


def test_single_precision_is_enough():
    log_probs = logs(0.6, 0.3, 0.1).astype(np.float32)
    tokens = {int(choose(log_probs, Sampling(top_p=0.85, seed=seed))[0]) for seed in range(50)}
    assert tokens == {0, 1}


@pytest.mark.parametrize(
    ("setting", "flag"),
    [
        ({"temperature": -0.1}, "`decoding.temperature` -0.1"),
        ({"temperature": math.nan}, "`decoding.temperature` nan"),
        ({"temperature": math.inf}, "`decoding.temperature` inf"),
        ({"top_k": -1}, "`decoding.top_k` -1"),
        ({"top_p": 0.0}, "`decoding.top_p` 0.0"),
        ({"top_p": 1.5}, "`decoding.top_p` 1.5"),
        ({"repetition_penalty": 0.0}, "`decoding.repetition_penalty` 0.0"),
        ({"no_repeat_ngram": -2}, "`decoding.no_repeat_ngram` -2"),
        ({"seed": -1}, "`decoding.seed` -1"),
    ],
)
def test_a_setting_out_of_range_names_its_flag(setting, flag):
    with pytest.raises(UsageError, match=f"^{flag}: out of range; give "):
        Sampling(**setting)
