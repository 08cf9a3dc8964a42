"""Beam search against the enumeration of all sequences, and against greedy search."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from seqrnn.data.text.tokenizer import BLANK, BOS, EOS, UNK
from seqrnn.errors import NumericError, UsageError
from seqrnn.search.beam import Beam, beam_search
from seqrnn.search.generation import Limits, generate
from seqrnn.search.sampling import Sampling

SIZE = 8  # <blank> <unk> <bos> <eos> and four others
WORDS = range(4, SIZE)


class Toy:
    """Predictions that depend on the sequence and on its last two tokens; counts what is asked of it."""

    def __init__(self, count=3, seed=0, sharpness=1.0):
        logits = np.random.default_rng(seed).normal(scale=sharpness, size=(count, SIZE, SIZE, SIZE))
        self.table = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        self.count = count
        self.asked = []

    def start(self):
        names, last = np.arange(self.count), np.full(self.count, BOS)
        return self.table[names, BLANK, last], (names, last)

    def step(self, tokens, states):
        names, last = states
        self.asked.append(len(tokens))
        return self.table[names, last, tokens], (names, tokens)

    def select(self, states, rows):
        return tuple(array[rows.ravel()] for array in states)

    def score(self, name, tokens):
        padded = [BLANK, BOS, *tokens]
        return sum(self.table[name, a, b, c] for a, b, c in zip(padded, padded[1:], padded[2:], strict=False))


def search(toy, limits=None, beam=None):
    return beam_search(toy, toy.start(), limits or Limits(4), beam or Beam())


def greedy(toy, limits):
    tokens = np.stack(
        [chosen.tokens for chosen in generate(toy.step, toy.start(), limits, Sampling(0.0))], axis=1
    )
    return [row[~np.isin(row, [EOS, BLANK])].tolist() for row in tokens]


def all_sequences(toy, name, longest):
    """Every sequence that ends within `longest` tokens, as (score with <eos>, tokens)."""
    return [
        (toy.score(name, [*tokens, EOS]), list(tokens))
        for length in range(longest)
        for tokens in product(WORDS, repeat=length)
    ]


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_finds_what_enumeration_finds_in_the_same_order(seed, penalty):
    toy = Toy(seed=seed)
    found = search(toy, Limits(4), Beam(400, penalty))  # more than there are continuations
    for name, hypotheses in enumerate(found):
        everything = all_sequences(toy, name, 4)
        everything.sort(key=lambda entry: -entry[0] / ((5 + len(entry[1]) + 1) / 6) ** penalty)
        ended = [hypothesis for hypothesis in hypotheses if hypothesis.ended]
        assert [hypothesis.tokens.tolist() for hypothesis in ended] == [tokens for _, tokens in everything]
        assert [hypothesis.score for hypothesis in ended] == pytest.approx([score for score, _ in everything])
        assert len(ended) == 1 + 4 + 4**2 + 4**3


@pytest.mark.parametrize("seed", range(20))
def test_a_beam_of_one_is_greedy_search(seed):
    toy = Toy(5, seed, sharpness=2.0)
    found = search(toy, Limits(6), Beam(1))
    assert [[h.tokens.tolist() for h in row] for row in found] == [[row] for row in greedy(toy, Limits(6))]


@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_no_beam_finds_a_worse_sequence_than_greedy_search(size, penalty):
    pairs = []
    for seed in range(40):
        toy = Toy(5, seed, sharpness=2.0)
        limits = Limits(8)
        pairs += zip(
            search(toy, limits, Beam(1, penalty)), search(toy, limits, Beam(size, penalty)), strict=True
        )

    def rank(found):
        return found.score / ((5 + len(found.tokens) + found.ended) / 6) ** penalty

    assert {narrow[0].ended for narrow, _ in pairs} == {True, False}
    assert all(rank(wide[0]) >= rank(narrow[0]) - 1e-9 for narrow, wide in pairs)
    assert any(rank(wide[0]) > rank(narrow[0]) + 0.1 for narrow, wide in pairs)


def test_hypotheses_are_different_sorted_and_scored_as_the_model_scores_them():
    toy = Toy(6, 1)
    for name, hypotheses in enumerate(search(toy, Limits(10), Beam(5))):
        scores = [hypothesis.score for hypothesis in hypotheses]
        assert scores == sorted(scores, reverse=True)
        assert len({tuple(hypothesis.tokens) for hypothesis in hypotheses}) == len(hypotheses) == 5
        for hypothesis in hypotheses:
            tokens = hypothesis.tokens.tolist() + [EOS] * hypothesis.ended
            assert hypothesis.score == pytest.approx(toy.score(name, tokens))
            assert set(hypothesis.tokens) <= set(WORDS)


def test_a_sequence_is_found_alone_as_among_others():
    toy = Toy(6, 2)
    together = search(toy, Limits(10), Beam(3))
    for name in range(6):
        alone = Toy(1)
        alone.table = toy.table[name : name + 1]
        (found,) = search(alone, Limits(10), Beam(3))
        assert [h.tokens.tolist() for h in found] == [h.tokens.tolist() for h in together[name]]


def test_sequences_that_are_done_cost_no_more():
    toy = Toy(4)
    toy.table[1:, :, :, EOS] = -0.01  # these three end at once
    toy.table[0, :, :, EOS] = -9.0
    search(toy, Limits(6), Beam(2))
    assert toy.asked[0] == 4 * 2
    assert set(toy.asked[3:]) == {2}


def test_a_fixed_length_is_kept_and_nothing_ends():
    for hypotheses in search(Toy(), Limits(fixed_len=3), Beam(4)):
        assert [len(hypothesis.tokens) for hypothesis in hypotheses] == [3] * 4
        assert not any(EOS in hypothesis.tokens or hypothesis.ended for hypothesis in hypotheses)


def test_a_wide_beam_of_fixed_length_finds_the_best_of_all():
    toy = Toy()
    for name, hypotheses in enumerate(search(toy, Limits(fixed_len=3), Beam(64))):
        best = max(product(WORDS, repeat=3), key=lambda tokens: toy.score(name, tokens))
        assert hypotheses[0].tokens.tolist() == list(best)


def test_what_the_limit_cuts_has_not_ended_and_is_ranked_by_its_score():
    toy = Toy(8, 3)
    found = [hypothesis for row in search(toy, Limits(3), Beam(4)) for hypothesis in row]
    assert len(found) == 8 * 4
    assert {len(hypothesis.tokens) for hypothesis in found if not hypothesis.ended} == {3}
    assert any(hypothesis.ended for hypothesis in found)


def test_a_length_penalty_favours_longer_sequences():
    def mean(penalty):
        found = search(Toy(40, 4), Limits(12), Beam(5, penalty))
        return np.mean([len(hypotheses[0].tokens) for hypotheses in found])

    assert mean(2.0) > mean(0.0) + 0.5


def test_no_ngram_stands_twice_in_a_hypothesis():
    toy = Toy(10, 5, sharpness=3.0)
    toy.table[:, :, :, EOS] -= 2.0

    def repeats(size):
        texts = [h.tokens.tolist() for row in search(toy, Limits(12), Beam(3, 0.0, size)) for h in row]
        pairs = [list(pairwise(text)) for text in texts]
        return sum(len(row) - len(set(row)) for row in pairs)

    assert repeats(0) > 0
    assert repeats(2) == 0


def test_a_beam_wider_than_the_vocabulary_finds_what_there_is():
    found = search(Toy(), Limits(1), Beam(50))
    assert [len(hypotheses) for hypotheses in found] == [5] * 3  # <eos> at once, or one of four words
    assert [sum(hypothesis.ended for hypothesis in hypotheses) for hypotheses in found] == [1] * 3


def test_specials_are_never_written():
    toy = Toy(5, 6)
    toy.table[:, :, :, [BLANK, UNK, BOS]] = 5.0
    assert all(set(h.tokens) <= set(WORDS) for row in search(toy) for h in row)


def test_nan_is_an_error():
    toy = Toy()
    toy.table[1, 3, 4] = np.nan
    toy.table[:, BLANK, BOS, 4] = 0.0
    toy.table[1] = np.nan
    with pytest.raises(NumericError):
        search(toy)


@pytest.mark.parametrize(("size", "penalty"), [(0, 0.0), (1, -0.1), (1, float("nan"))])
def test_values_out_of_range_are_refused(size, penalty):
    with pytest.raises(UsageError, match=r"`decoding.(beam_size|length_penalty)`"):
        Beam(size, penalty)
