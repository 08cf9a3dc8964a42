"""Errors of taggers and writers by their kinds, on cases that can be counted by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrnn.data.answer import Answer
from seqrnn.data.record import Record
from seqrnn.metrics.spans import SpanCounts
from seqrnn.reporting.measures.edits import edit_errors, edits_of
from seqrnn.reporting.measures.music import piano_rolls
from seqrnn.reporting.measures.numbers import number_errors
from seqrnn.reporting.measures.spans import span_errors, tagged
from seqrnn.reporting.subject import Example
from seqrnn.tasks.grade import Grade

tags = st.lists(st.sampled_from(["O", "B-x", "I-x", "B-y", "I-y"]), min_size=6, max_size=6)


def example(source, expected, predicted, line=1):
    right = expected == predicted
    record = Record(source, (), "rows.tsv", line)
    return Example(record, Answer(predicted, -0.1), Grade(expected, predicted, right, float(right)), 3)


@pytest.mark.parametrize(
    ("expected", "predicted", "errors"),
    [
        ("B-x I-x O", "B-x I-x O", []),
        ("B-x I-x O", "O O O", [("x", "missed")]),
        ("O O O", "O B-y O", [("y", "invented")]),
        ("B-x I-x O", "B-y I-y O", [("x", "wrong type")]),
        ("B-x I-x O", "B-x O O", [("x", "wrong ends")]),
        ("B-x I-x O", "O B-y I-y", [("x", "wrong type and ends")]),
        ("B-x I-x I-x", "B-x B-x I-x", [("x", "wrong ends"), ("x", "invented")]),
    ],
)
def test_errors_of_spans_have_a_kind(expected, predicted, errors) -> None:
    assert list(span_errors(expected.split(), predicted.split())) == errors


@given(tags, tags)
def test_every_span_that_is_not_right_is_one_error_or_explains_one(expected, predicted) -> None:
    errors = Counter(error for _, error in span_errors(expected, predicted))
    counts = SpanCounts()
    counts.add(expected, predicted)
    table = counts.table()
    missed = sum(round(row.support * (1 - row.recall)) for row in table)
    claimed = sum(
        round(row.recall * row.support / row.precision) - round(row.recall * row.support)
        for row in table
        if row.precision
    )
    assert errors.total() - errors["invented"] == missed
    if all(row.precision for row in table):
        assert errors.total() - errors["missed"] == claimed


def test_sentences_are_shown_twice_with_what_differs_marked() -> None:
    found = tagged(
        [
            example("To New York now", ["O", "B-place", "I-place", "O"], ["O", "O", "B-place", "O"]),
            example("All well", ["O", "O"], ["O", "O"]),
        ],
        has_spans=True,
    )
    assert found is not None
    (sentence,) = found.sentences
    assert (found.wrong_sentences, found.all_sentences, sentence.wrong) == (1, 2, 2)
    told = [(segment.text, segment.kind, segment.agrees) for segment in sentence.expected]
    assert told == [("To", "", True), ("New York", "place", False), ("now", "", True)]
    assert [segment.text for segment in sentence.predicted] == ["To New", "York", "now"]
    assert found.types[0].counts == [0, 0, 0, 1, 0]
    assert "cut at the wrong boundaries" in found.verdict


def test_without_spans_every_token_has_its_tag() -> None:
    found = tagged([example("Ann saw", ["N", "V"], ["N", "N"])], has_spans=False)
    assert found is not None
    assert found.types == []
    assert [segment.kind for segment in found.sentences[0].predicted] == ["N", "N"]
    assert [segment.agrees for segment in found.sentences[0].expected] == [True, False]
    assert tagged([], has_spans=False) is None


@pytest.mark.parametrize(
    ("written", "wanted", "pairs"),
    [
        ("abc", "abc", []),
        ("ab", "abc", [("c", "")]),
        ("abcd", "abc", [("", "d")]),
        ("axc", "abc", [("b", "x")]),
    ],
)
def test_edits_say_what_was_wanted_and_what_was_written(written, wanted, pairs) -> None:
    assert edits_of(list(written), [list(wanted)])[0] == pairs


def test_edits_are_counted_against_the_nearest_right_text() -> None:
    found = edit_errors([example("", ["abc", "xyz"], "xyy"), example("", ["abc"], "ab")], list)
    assert found is not None
    assert (found.tokens, found.replaced, found.missing, found.superfluous) == (6, 1, 1, 0)
    assert [(edit.wanted, edit.written) for edit in found.often] == [("c", ""), ("z", "y")]
    assert edit_errors([], list) is None


def test_edits_are_as_many_as_the_token_error_rate_counts() -> None:
    from seqrnn.metrics.sequences import sequence_scores

    texts = [("kitten", ["sitting"]), ("flaw", ["lawn", "claw"]), ("same", ["same"])]
    found = edit_errors([example("", wanted, written) for written, wanted in texts], list)
    scores = sequence_scores([w for w, _ in texts], [r for _, r in texts], list)
    assert found is not None
    edits = found.replaced + found.missing + found.superfluous
    assert edits / found.tokens == pytest.approx(scores["token_error_rate"])


def test_errors_of_numbers_have_a_mean_and_quantiles() -> None:
    rng = np.random.default_rng(2)
    wanted, said = rng.normal(size=500), rng.normal(size=500)
    found = number_errors(
        [example("", float(a), float(b), line) for line, (a, b) in enumerate(zip(wanted, said, strict=True))]
    )
    assert found is not None
    assert found.bias == pytest.approx((said - wanted).mean())
    assert found.mean_absolute_error == pytest.approx(np.abs(said - wanted).mean())
    assert found.quantiles[2] == (0.5, pytest.approx(np.median(said - wanted)))
    assert found.largest[0].place == f"rows.tsv:{np.abs(said - wanted).argmax()}"


def test_a_piano_roll_has_what_sounds_and_what_was_likely_before() -> None:
    record = Record("", steps=[[5], [5, 7], [7]])

    def ask(records):
        assert [len(each.steps) for each in records] == [1, 2]
        sure = np.full((len(records), 12), 0.01)
        sure[:, 7] = 0.9
        return [Answer([], None, classes=np.log(row).tolist()) for row in sure]

    found = piano_rolls([Example(record, Answer([], None), None, 3)], ask)
    assert found is not None
    assert (found.notes, found.found, found.false) == (3, 2, 0)
    (roll,) = found.rolls
    assert (roll.lowest, roll.highest) == (3, 9)
    assert [(step, key) for step, key, _ in roll.likely] == [(1, 7), (2, 7)]
