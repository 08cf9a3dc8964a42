"""How surprising a line is: its own likelihood, whatever stands beside it and whichever backend computes."""

from __future__ import annotations

import numpy as np
import pytest

from seqrnn.answering.line_scorer import LineScorer
from seqrnn.answering.opened_run import open_run
from seqrnn.answering.text_generator import TextGenerator
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import EOS
from seqrnn.search.step import log_softmax

LINES = ["abcx", "", "x", "zz unknown", "defgx", "abcx"]


@pytest.fixture(params=["numpy", "torch"])
def backend(request):
    return request.param


def score_by_hand(path, asked, line):
    """The log-probability of a line and its tokens, read one at a time."""
    generator = TextGenerator(open_run(path), asked)
    ids = generator.tokenizer.encode(line).ids
    ends = [] if line.endswith("\n") else [EOS]
    (logits, states), total = generator.start(ids[:0]), 0.0
    for token in [*ids, *ends]:
        total += float(log_softmax(logits)[0, token])
        logits, states = generator.step(np.array([token]), states)
    return total, len(ids) + len(ends)


@pytest.mark.parametrize(("layout", "end"), [("lines", ""), ("text", "\n")])
def test_a_score_is_the_likelihood_of_the_line_and_its_end(train, opened, backend, layout, end):
    _, path = train(layout)
    task, asked = opened(path, backend)
    answers = LineScorer(task, asked).answer([Record(line) for line in LINES])
    for line, answer in zip(LINES, answers, strict=True):
        total, tokens = score_by_hand(path, asked, line + end)
        assert answer.score == pytest.approx(total, abs=1e-4)
        assert answer.prediction == pytest.approx(-total / tokens, abs=1e-4)
    assert answers[0].score == pytest.approx(answers[5].score, abs=1e-5)
    assert answers[3].unknown > answers[1].unknown == 0


def test_a_line_that_is_too_long_is_cut_and_says_so(train, opened, backend):
    _, path = train("lines", {"data.max_tokens": 3, "data.lengths": "blank"})
    cut, whole = LineScorer(*opened(path, backend)).answer([Record("abcdefgx"), Record("abc")])
    assert (cut.truncated, whole.truncated) == (True, False)
    assert cut.score == pytest.approx(whole.score, abs=1e-5)
