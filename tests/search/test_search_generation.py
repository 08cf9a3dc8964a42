from __future__ import annotations

import math
from itertools import islice, pairwise

import numpy as np
import pytest

from seqrnn.errors import UsageError
from seqrnn.search.generation import Limits, generate
from seqrnn.search.sampling import Sampling

BLANK, UNK, BOS, EOS, A, B = range(6)
GREEDY = Sampling(temperature=0)


class Bigrams:
    """A model whose next token depends on the last one alone: a table of probabilities."""

    def __init__(self, table: dict[int, dict[int, float]]):
        self.log_probs = np.full((6, 6), -np.inf)
        for last, following in table.items():
            for token, probability in following.items():
                self.log_probs[last, token] = math.log(probability)
        self.calls: list[list[int]] = []

    def step(self, tokens, states):
        self.calls.append(tokens.tolist())
        return self.log_probs[tokens], states + 1

    def after(self, *prompt: int):
        return self.log_probs[list(prompt)], np.zeros(len(prompt))


# A is followed by B, B by A or, at times, by <eos>.
MODEL = {
    A: {B: 0.8, A: 0.2},
    B: {A: 0.6, EOS: 0.4},
}


def tokens_of(chosen) -> list[list[int]]:
    return [c.tokens.tolist() for c in chosen]


def test_a_sequence_ends_at_max_len():
    model = Bigrams(MODEL)
    assert tokens_of(generate(model.step, model.after(A), Limits(max_len=5), GREEDY)) == [
        [B],
        [A],
        [B],
        [A],
        [B],
    ]


def test_a_sequence_ends_with_eos():
    model = Bigrams({**MODEL, B: {EOS: 0.9, A: 0.1}})
    assert tokens_of(generate(model.step, model.after(A), Limits(max_len=9), GREEDY)) == [[B], [EOS]]


def test_fixed_len_forbids_eos_and_gives_exactly_that_many():
    model = Bigrams({**MODEL, B: {EOS: 0.9, A: 0.1}})
    limits = Limits(max_len=2, fixed_len=4)
    assert tokens_of(generate(model.step, model.after(A), limits, GREEDY)) == [[B], [A], [B], [A]]


def test_blank_unk_and_bos_are_never_generated_however_likely():
    model = Bigrams({A: {BLANK: 0.4, UNK: 0.3, BOS: 0.2, A: 0.1}})
    for sampling in (GREEDY, Sampling(seed=2)):
        assert tokens_of(generate(model.step, model.after(A), Limits(max_len=3), sampling)) == [[A]] * 3


def test_scores_are_those_of_the_unmodified_model():
    model = Bigrams({A: {BLANK: 0.5, A: 0.3, B: 0.2}, B: {EOS: 0.7, A: 0.3}})
    sampling = Sampling(temperature=0.1, top_k=1, repetition_penalty=1.1)
    chosen = list(generate(model.step, model.after(A), Limits(max_len=4), sampling))
    expected = {(A, A): 0.3, (A, B): 0.2, (B, EOS): 0.7, (B, A): 0.3}
    path = [A] + [int(c.tokens[0]) for c in chosen]
    by_hand = math.prod(expected[pair] for pair in pairwise(path))
    assert sum(c.log_probs[0] for c in chosen) == pytest.approx(math.log(by_hand))


def test_a_finished_sequence_is_padded_with_blanks_at_no_cost_while_others_go_on():
    going_on = {A: 0.5, B: 0.5}
    model = Bigrams({BLANK: going_on, EOS: going_on, A: {EOS: 1.0}, B: {B: 0.5, A: 0.3, EOS: 0.2}})
    chosen = list(generate(model.step, model.after(A, B), Limits(max_len=3), GREEDY))
    assert tokens_of(chosen) == [[EOS, B], [BLANK, B], [BLANK, B]]
    assert [c.log_probs[0] for c in chosen] == [0.0, 0.0, 0.0]
    assert sum(c.log_probs[1] for c in chosen) == pytest.approx(3 * math.log(0.5))


def test_the_model_s_own_arrays_are_not_written_to():
    log_probs = np.log(np.full((1, 6), 1 / 6))
    before = log_probs.copy()
    list(
        generate(
            lambda tokens, states: (log_probs, states), (log_probs, None), Limits(fixed_len=3), Sampling()
        )
    )
    np.testing.assert_array_equal(log_probs, before)


def test_tokens_come_one_at_a_time_and_no_step_is_taken_in_vain():
    model = Bigrams(MODEL)
    stream = generate(model.step, model.after(A), Limits(max_len=3), GREEDY)
    next(stream)
    assert model.calls == []
    next(stream)
    assert model.calls == [[B]]
    assert len(list(stream)) == 1
    assert model.calls == [[B], [A]]


def test_states_are_handed_from_step_to_step():
    seen = []

    def step(tokens, states):
        seen.append(states)
        return np.log(np.full((1, 6), 1 / 6)), states + "x"

    list(generate(step, (np.log(np.full((1, 6), 1 / 6)), "s"), Limits(fixed_len=4), GREEDY))
    assert seen == ["s", "sx", "sxx"]


def test_the_same_seed_gives_the_same_text_and_another_seed_another():
    model = Bigrams({A: {A: 0.5, B: 0.5}, B: {A: 0.5, B: 0.5}})

    def text(seed: int):
        return tokens_of(generate(model.step, model.after(A), Limits(max_len=40), Sampling(seed=seed)))

    assert text(1) == text(1)
    assert text(1) != text(2)


def test_several_sequences_from_one_prompt_differ():
    model = Bigrams({A: {A: 0.5, B: 0.5}, B: {A: 0.5, B: 0.5}})
    tokens = np.array(tokens_of(generate(model.step, model.after(A, A), Limits(max_len=40), Sampling())))
    assert (tokens[:, 0] != tokens[:, 1]).any()


def test_sampled_transitions_have_the_model_s_frequencies():
    model = Bigrams({A: {A: 0.25, B: 0.75}, B: {A: 0.9, B: 0.1}})
    stream = generate(model.step, model.after(A), Limits(max_len=20_001), Sampling(seed=4))
    path = [int(c.tokens[0]) for c in stream]
    counts = np.zeros((2, 2))
    for last, following in pairwise(path):
        counts[last - A, following - A] += 1
    rates = counts / counts.sum(axis=1, keepdims=True)
    assert rates == pytest.approx(np.array([[0.25, 0.75], [0.9, 0.1]]), abs=0.015)


def test_no_n_gram_comes_twice():
    model = Bigrams({A: {A: 0.9, B: 0.1}, B: {A: 0.5, B: 0.5}})
    for seed in range(20):
        sampling = Sampling(no_repeat_ngram=2, seed=seed)
        stream = generate(model.step, model.after(A), Limits(max_len=4), sampling)
        pairs = list(pairwise(int(c.tokens[0]) for c in stream))
        assert len(set(pairs)) == len(pairs) == 3


def test_a_long_stream_can_be_left_at_any_time():
    model = Bigrams(MODEL)
    stream = generate(model.step, model.after(A), Limits(max_len=10**12), GREEDY)
    assert len(tokens_of(islice(stream, 4))) == 4


@pytest.mark.parametrize(
    ("limits", "said"),
    [({"max_len": 0}, "`decoding.max_len` 0"), ({"fixed_len": -3}, "`decoding.fixed_len` -3")],
)
def test_a_length_below_one_is_told_by_its_name(limits, said):
    with pytest.raises(UsageError, match=f"^{said}: out of range; give 1 or more$"):
        Limits(**limits)
