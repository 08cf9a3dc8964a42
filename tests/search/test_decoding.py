"""Beams and draws asked for in one way."""

from __future__ import annotations

import numpy as np
import pytest

from seqrnn.data.text.tokenizer import BLANK, EOS
from seqrnn.errors import UsageError
from seqrnn.search.beam import Beam, beam_search
from seqrnn.search.decoding import Decoding, decode, with_row_seeds
from seqrnn.search.generation import Limits
from seqrnn.search.sampling import Sampling

LOG_PROBS = np.log([[0.0 + 1e-12, 1e-12, 1e-12, 0.3, 0.5, 0.2], [1e-12, 1e-12, 1e-12, 0.1, 0.1, 0.8]])


class Dice:
    """Two sequences, each with the same probabilities at every step."""

    def start(self):
        return LOG_PROBS, np.arange(2)

    def step(self, tokens, states):
        return LOG_PROBS[states], states

    def select(self, states, rows):
        return states[rows.ravel()]


def test_a_beam_gives_its_best():
    limits, beam = Limits(5), Beam(4)
    found = decode(Dice(), Dice().start(), Decoding(limits, beam, 2))
    expected = beam_search(Dice(), Dice().start(), limits, beam)
    assert [[h.score for h in row] for row in found] == [[h.score for h in row[:2]] for row in expected]


def test_draws_have_the_frequencies_and_the_scores_of_the_model():
    found = decode(Dice(), Dice().start(), Decoding(Limits(400), Sampling(seed=5), 500))
    assert [len(row) for row in found] == [500, 500]
    for row, log_probs in zip(found, LOG_PROBS, strict=True):
        tokens = np.concatenate([hypothesis.tokens for hypothesis in row])
        assert not np.isin(tokens, [BLANK, EOS]).any()
        assert (tokens == 5).mean() == pytest.approx(
            np.exp(log_probs[5] - np.logaddexp(*log_probs[4:])), abs=0.05
        )
        for hypothesis in row:
            assert hypothesis.ended
            assert hypothesis.score == pytest.approx(log_probs[hypothesis.tokens].sum() + log_probs[EOS])
        assert [h.score for h in row] == sorted((h.score for h in row), reverse=True)


def test_a_draw_that_meets_the_limit_has_not_ended():
    found = decode(Dice(), Dice().start(), Decoding(Limits(2), Sampling(seed=1), 50))
    assert {(len(h.tokens), h.ended) for row in found for h in row} == {(0, True), (1, True), (2, False)}


def test_a_row_has_draws_of_its_own_whatever_stands_beside_it():
    class Fair:
        """Foretells five tokens alike, whatever was read."""

        def step(self, tokens, states):
            return np.zeros((len(tokens), 9)), states

        def select(self, states, rows):
            return states[rows.ravel()]

    def draw(numbers, seed=3):
        decoding = with_row_seeds(Decoding(Limits(20), Sampling(seed=seed), 2), numbers)
        found = decode(Fair(), (np.zeros((len(numbers), 9)), np.arange(len(numbers))), decoding)
        return {
            number: [hypothesis.tokens.tolist() for hypothesis in row]
            for number, row in zip(numbers, found, strict=True)
        }

    many = draw(range(300))
    assert {**many, **draw([7]), **draw([299, 0, 7])} == many
    texts = [str(text) for row in [*many.values(), *draw(range(300), seed=4).values()] for text in row]
    longer = [text for text in texts if len(text) > 12]  # four tokens and more
    assert len(set(longer)) > 0.99 * len(longer) > 500
    assert with_row_seeds(Decoding(), [2]) == Decoding()


@pytest.mark.parametrize(
    ("strategy", "count", "advice"),
    [
        (Beam(2), 0, "`decoding.n_best` 0: out of range"),
        (Beam(2), 3, "`decoding.n_best` 3: more than `decoding.beam_size` 2 holds; widen the beam"),
        (Sampling(0.0), 2, "`decoding.n_best` 2: greedy search finds one"),
    ],
)
def test_answers_that_cannot_be_found_are_refused(strategy, count, advice):
    with pytest.raises(UsageError, match=advice):
        Decoding(Limits(), strategy, count)


class Countdown:
    """Source k of many writes the token 4 k times, then <eos>; its state is k and what it has written."""

    def __init__(self):
        self.computed = []

    def logits(self, states):
        logits = np.zeros((len(states), 6))
        logits[np.arange(len(states)), np.where(states[:, 1] < states[:, 0], 4, EOS)] = 50.0
        return logits

    def start(self, sources):
        states = np.stack([np.arange(sources), np.zeros(sources, dtype=int)], axis=1)
        return self.logits(states), states

    def step(self, tokens, states):
        assert len(tokens) == len(states)
        self.computed.append(len(tokens))
        states = states + np.array([0, 1])
        return self.logits(states), states

    def select(self, states, rows):
        return states[rows.ravel()]


@pytest.mark.parametrize("draws", [1, 3])
def test_what_has_ended_costs_nothing_and_changes_nothing(draws):
    model = Countdown()
    strategy = Sampling(0) if draws == 1 else Sampling(seed=2)
    found = decode(model, model.start(10), Decoding(Limits(40), strategy, draws))
    assert [[len(h.tokens) for h in row] for row in found] == [[k] * draws for k in range(10)]
    assert all(h.ended and h.score == pytest.approx(0.0, abs=1e-6) for row in found for h in row)
    assert model.computed[0] == 10 * draws
    assert model.computed[-1] <= 2 * draws
    assert sum(model.computed) < 0.75 * 10 * draws * len(model.computed)
