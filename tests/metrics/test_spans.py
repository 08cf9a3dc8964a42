"""Spans are counted as conlleval counts them; runs between boundaries, in sets, are the oracle."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrnn.metrics.spans import SpanCounts, find_spans


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


def runs(tags: list[str]) -> set[tuple[str, int, int]]:
    """The spans as the runs of tags between boundaries, found without a state that goes along."""
    pairs = zip(["O", *tags], [*tags, "O"], strict=True)
    cuts = [
        t for t, (a, b) in enumerate(pairs) if "O" in (a, b) or a[1:] != b[1:] or b[0] in "BS" or a[0] in "ES"
    ]
    between = itertools.pairwise(cuts)
    return {(tags[first][2:], first, stop) for first, stop in between if tags[first] != "O"}


def rates(actual: set[tuple[object, ...]], predicted: set[tuple[object, ...]]) -> tuple[float, float, float]:
    right = len(actual & predicted)
    precision, recall = right / max(len(predicted), 1), right / max(len(actual), 1)
    return precision, recall, 2 * right / max(len(actual) + len(predicted), 1)


@given(st.lists(TAGS, max_size=15))
def test_spans_of_any_tags_are_the_runs_between_boundaries(tags: list[str]):
    assert set(find_spans(tags)) == runs(tags)


@given(PAIRS)
def test_scores_are_those_of_the_sets_of_spans(sentences: list[list[tuple[str, str]]]):
    counts = SpanCounts()
    actual: set[tuple[object, ...]] = set()
    predicted: set[tuple[object, ...]] = set()
    for number, sentence in enumerate(sentences):
        sides = [[pair[side] for pair in sentence] for side in (0, 1)]
        counts.add(*sides)
        actual |= {(number, *span) for span in runs(sides[0])}
        predicted |= {(number, *span) for span in runs(sides[1])}
    table = counts.table()
    assert counts.f1() == pytest.approx(rates(actual, predicted)[2])
    assert [row.label for row in table] == sorted({str(span[1]) for span in actual | predicted})
    for row in table:
        own = [{span for span in side if span[1] == row.label} for side in (actual, predicted)]
        assert (row.precision, row.recall, row.f1) == pytest.approx(rates(*own))
        assert row.support == len(own[0])


def test_a_span_is_right_only_with_its_type_and_both_ends():
    counts = SpanCounts()
    counts.add(["B-a", "I-a", "O", "B-b", "O", "B-a"], ["B-a", "O", "O", "B-a", "O", "B-a"])
    assert counts.f1() == pytest.approx(1 / 3)
    assert [(row.label, row.support) for row in counts.table()] == [("a", 2), ("b", 1)]
