"""Numbers of a record: an array, or one line that says why not."""

from __future__ import annotations

import numpy as np
import pytest

from seqrnn.data.fields.steps import matrix_of, sets_of
from seqrnn.data.record import Record
from seqrnn.errors import DataError


def record(steps):
    return Record("", (), "a.jsonl", 7, steps=steps)


@pytest.mark.parametrize("steps", [[[1, 2.5], [-3, 4]], np.array([[1, 2.5], [-3, 4]], dtype=np.float16)])
def test_numbers_become_a_matrix_of_double_precision(steps):
    matrix = matrix_of(record(steps), 2)
    assert matrix.dtype == np.float64
    assert matrix.tolist() == [[1.0, 2.5], [-3.0, 4.0]]


@pytest.mark.parametrize("number", [1_700_000_000_001, 10**19, 10**30, 2.0**60, 499_999.987_654_3])
def test_numbers_keep_the_digits_of_double_precision(number):
    expected = [[float(number), 0.5], [1.0, -float(number)]]
    assert matrix_of(record([[number, 0.5], [1, -number]])).tolist() == expected


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([[1, 2], [3]], "step 2 has 1 number, expected 2"),
        ([[1, 2], [3, 4], 5], "step 3 has 0 numbers, expected 2"),
        ([[1, 2], "no"], "step 2 has 0 numbers, expected 2"),
        ([1, 2], "something else than numbers"),
        ([[1, [2]], [3, 4]], "something else than numbers"),
        ([[[1], [2]]], "something else than numbers"),
        ([[1, "two"]], "something else than finite numbers"),
        ([["1", "2"]], "something else than finite numbers"),
        ([[1, None]], "something else than finite numbers"),
        ([[1, 2], [True, 2.5]], "something else than finite numbers"),
        ([[True, False]], "something else than finite numbers"),
        ([[1, {}]], "something else than finite numbers"),
        ([[1, float("nan")]], "something else than finite numbers"),
        ([[1, float("inf")]], "something else than finite numbers"),
        ([[10**30, True]], "something else than finite numbers"),
        ([[10**30, "1"]], "something else than finite numbers"),
        ([[1, 1e39]], "a number too large to compute with"),  # infinite in single precision
        ([[1, -1e308]], "a number too large to compute with"),
        ([[1, 10**400]], "something else than finite numbers"),
        ([[1.5, 10**400]], "something else than finite numbers"),
        (np.array([[1j, 2]]), "something else than finite numbers"),
        ([], "holds no numbers"),
        (None, "holds no numbers"),
    ],
)
def test_what_is_no_series_of_vectors_is_told_with_its_location(steps, words):
    with pytest.raises(DataError, match=rf"^a\.jsonl:7: .*{words}; (give|fix)") as error:
        matrix_of(record(steps))
    assert "\n" not in str(error.value)


def test_another_size_than_that_of_the_training_is_told():
    with pytest.raises(DataError, match=r"^a\.jsonl:7: step 1 has 2 numbers, expected 3"):
        matrix_of(record([[1, 2], [3, 4]]), 3)
    with pytest.raises(DataError, match="step 1 has 4 numbers, expected 3"):
        matrix_of(record(np.zeros((5, 4))), 3)


def test_keys_become_ones():
    assert sets_of(record([[2, 0], [], [3, 3]]), 4).tolist() == [[1, 0, 1, 0], [0] * 4, [0, 0, 0, 1]]


@pytest.mark.parametrize("step", [[4], [-1], [1.0], ["1"], [True], 1, None, [[1]], {"1": 1}, "1"])
def test_what_is_no_list_of_keys_is_told_with_its_location(step):
    with pytest.raises(
        DataError,
        match=r"^a\.jsonl:7: step 2 is no list of keys from 0 to 3; .* with more `data.keys`$",
    ):
        sets_of(record([[1], step]), 4)


def test_a_piece_without_steps_is_refused():
    with pytest.raises(DataError, match="holds no numbers"):
        sets_of(record([]), 4)


@pytest.mark.parametrize(
    ("source", "steps", "blank"),
    [("", None, True), (" \t", None, True), ("x", None, False), ("", [], True), ("", [[1]], False)],
)
def test_a_record_is_blank_where_nothing_is_to_be_read(source, steps, blank):
    assert Record(source, steps=steps).is_blank is blank
    assert steps is None or Record(source, steps=np.array(steps)).is_blank is blank
