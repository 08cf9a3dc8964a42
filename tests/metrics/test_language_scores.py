from __future__ import annotations

import math

import pytest

from seqrnn.metrics.language import language_scores


def test_a_uniform_model_has_its_vocabulary_size_as_perplexity():
    scores = language_scores(nats=10 * math.log(65), tokens=10, characters=10)
    assert scores["loss"] == pytest.approx(math.log(65))
    assert scores["perplexity"] == pytest.approx(65)
    assert scores["bits_per_character"] == pytest.approx(math.log2(65))


def test_bits_a_character_spread_a_token_over_its_characters():
    # One bit a token, and four characters a token.
    scores = language_scores(nats=5 * math.log(2), tokens=5, characters=20)
    assert scores["bits_per_character"] == pytest.approx(0.25)


def test_a_hopeless_model_has_infinite_perplexity():
    assert language_scores(nats=1e6, tokens=1, characters=1)["perplexity"] == math.inf
