"""Spans are counted as conlleval counts them; seqeval is the oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support

from seqrnn.metrics.spans import SpanCounts, find_scheme, find_spans, stray_tag


def spans(line: str) -> list[tuple[str, int, int]]:
    return list(find_spans(line.split()))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", []),
        ("O O", []),
        ("B-a I-a O B-b", [("a", 0, 2), ("b", 3, 4)]),
        ("B-a B-a I-a", [("a", 0, 1), ("a", 1, 3)]),
        ("I-a I-a O I-b", [("a", 0, 2), ("b", 3, 4)]),  # IOB1: I begins a span
        ("I-a B-a I-a", [("a", 0, 1), ("a", 1, 3)]),  # IOB1: B only between neighbours
        ("B-a I-b I-b", [("a", 0, 1), ("b", 1, 3)]),
        ("B-a I-a E-a S-a O S-b", [("a", 0, 3), ("a", 3, 4), ("b", 5, 6)]),
        ("B-a L-a U-b", [("a", 0, 2), ("b", 2, 3)]),
        ("E-a E-a", [("a", 0, 1), ("a", 1, 2)]),
        ("S-a I-a", [("a", 0, 1), ("a", 1, 2)]),
        ("B I O I", [("", 0, 2), ("", 3, 4)]),
        ("B-x-y I-x-y I-x", [("x-y", 0, 2), ("x", 2, 3)]),
    ],
)
def test_spans_are_what_a_hand_marks(line: str, expected: list[tuple[str, int, int]]):
    assert spans(line) == expected


TAGS = st.sampled_from(["O", *(f"{letter}-{kind}" for letter in "BIES" for kind in "ab")])
PAIRS = st.lists(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=12), min_size=1, max_size=6)


@given(st.lists(TAGS, max_size=15))
def test_spans_of_any_tags_are_those_of_an_independent_implementation(tags: list[str]):
    assert list(find_spans(tags)) == [(kind, first, last + 1) for kind, first, last in get_entities(tags)]


@given(PAIRS)
def test_scores_are_those_of_an_independent_implementation(sentences: list[list[tuple[str, str]]]):
    actual = [[tag for tag, _ in sentence] for sentence in sentences]
    predicted = [[tag for _, tag in sentence] for sentence in sentences]
    counts = SpanCounts()
    for sentence in zip(actual, predicted, strict=True):
        counts.add(*sentence)
    table = counts.table()
    if not table:  # seqeval warns
        assert counts.f1() == 0.0
        return
    assert counts.f1() == pytest.approx(f1_score(actual, predicted, zero_division=0))
    columns = precision_recall_fscore_support(actual, predicted, average=None, zero_division=0)
    assert [row.label for row in table] == sorted(row.label for row in table)
    for row, expected in zip(table, zip(*columns, strict=True), strict=True):
        assert (row.precision, row.recall, row.f1, row.support) == pytest.approx(expected)


def test_a_span_is_right_only_with_its_type_and_both_ends():
    counts = SpanCounts()
    counts.add(["B-a", "I-a", "O", "B-b", "O", "B-a"], ["B-a", "O", "O", "B-a", "O", "B-a"])
    assert counts.f1() == pytest.approx(1 / 3)
    assert [(row.label, row.support) for row in counts.table()] == [("a", 2), ("b", 1)]


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("O B-a I-a", "bio"),
        ("O I-a", "bio"),
        ("B I O", "bio"),
        ("O B-a I-a E-a S-a", "bioes"),
        ("O B-a L-a U-a I-a", "bioes"),
        ("NOUN VERB", None),
        ("B-a NOUN", None),
        ("O S", None),
        ("", None),
    ],
)
def test_the_scheme_is_told_from_the_tags(tags: str, scheme: str | None):
    assert find_scheme(tags.split()) == scheme


def test_a_tag_that_does_not_fit_is_found():
    assert stray_tag(["O", "B-a", "E-a"], "bio") == "E-a"
    assert stray_tag(["O", "B-a", "E-a"], "bioes") is None
