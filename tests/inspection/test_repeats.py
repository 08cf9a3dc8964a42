"""Texts that come again: exact while they fit, else estimates from a sample by hashes."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from seqrnn.data.record import Record
from seqrnn.inspection.repeats import RepeatCounter


def batches(rows: list[tuple[str, str, bool]], size: int = 7):
    for start in range(0, len(rows), size):
        part = list(enumerate(rows, 1))[start : start + size]
        records = [Record(text, (label,), "f", line) for line, (text, label, _) in part]
        yield records, np.array([held for _, (_, _, held) in part])


def counted(rows, **options):
    counter = RepeatCounter(**options)
    for records, held_out in batches(rows, options.pop("size", 500)):
        counter.add(records, held_out)
    return counter.result()


def drawn(rows: int, texts: int, seed: int = 3) -> list[tuple[str, str, bool]]:
    draw = random.Random(seed)
    return [(f"text {draw.randrange(texts)}", draw.choice("ab"), draw.random() < 0.2) for _ in range(rows)]


def by_sets(rows) -> dict[str, int]:
    texts = Counter(text for text, _, _ in rows)
    trained = {text for text, _, held in rows if not held}
    answers: dict[str, set[str]] = {}
    for text, label, _ in rows:
        answers.setdefault(text, set()).add(label)
    return {
        "distinct": len(texts),
        "repeated": len(rows) - len(texts),
        "leaked": sum(held and text in trained for text, _, held in rows),
        "contradictory": sum(len(found) > 1 for found in answers.values()),
    }


def test_what_is_counted_is_what_sets_say():
    rows = drawn(2000, 900)
    found = counted(rows)
    assert found.exact
    assert {name: getattr(found, name) for name in by_sets(rows)} == by_sets(rows)


def test_places_are_those_of_such_rows():
    rows = drawn(60, 25)
    found = counted(rows)
    text, label, held = ({f"f:{line}": row[part] for line, row in enumerate(rows, 1)} for part in range(3))
    assert found.repeated_at or found.leaked_at
    assert found.contradictory_at
    for later, earlier in [*found.repeated_at, *found.leaked_at, *found.contradictory_at]:
        assert text[later] == text[earlier]
    assert all(held[later] and not held[earlier] for later, earlier in found.leaked_at)
    assert all(label[later] != label[earlier] for later, earlier in found.contradictory_at)


def test_what_does_not_fit_is_estimated_and_says_so():
    rows = drawn(40_000, 30_000)
    found, right = counted(rows, most_held=4000), by_sets(rows)
    assert not found.exact
    for name, value in right.items():
        assert getattr(found, name) == pytest.approx(value, rel=0.1), name


def test_blanks_around_a_text_are_no_part_of_it_and_nothing_is_no_fault():
    assert counted([("a ", "x", False), (" a", "x", True)]).leaked == 1
    assert RepeatCounter().result().distinct == 0


def test_all_numbers_are_compared():
    arrays = [np.zeros((1200, 2)) for _ in range(3)]
    arrays[1][600] = 1.0
    counter = RepeatCounter()
    counter.add(
        [Record("", line=line, steps=array) for line, array in enumerate(arrays, 1)], np.zeros(3, bool)
    )
    found = counter.result()
    assert (found.distinct, found.repeated_at) == (2, [("stdin:3", "stdin:1")])
