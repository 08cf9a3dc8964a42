"""Fields of numbers: what they learn, against NumPy's own mean and deviation, keep and refuse."""

from __future__ import annotations

import numpy as np
import pytest

from seqrnn.config import DataConfig
from seqrnn.data.dataset.columns import Column
from seqrnn.data.fields.field import TextField
from seqrnn.data.fields.input_sizes import VectorSizes
from seqrnn.data.fields.notes_field import NotesField
from seqrnn.data.fields.number_field import NumberField
from seqrnn.data.fields.source_kind import source_field
from seqrnn.data.fields.vectors_field import Moments, VectorsField
from seqrnn.data.record import Record
from seqrnn.errors import DataError, ModelError


def series(steps, line=1):
    return Record("", (), "a.jsonl", line, steps=steps)


def target(*targets):
    return Record("", targets, "a.csv", 3)


@pytest.fixture
def examples():
    generator = np.random.default_rng(3)
    scales = np.array([1.0, 1e-3, 1e4])
    return [generator.normal(5.0, 2.0, (length, 3)) * scales for length in (1, 7, 3, 20)]


@pytest.fixture
def field(examples):
    made = VectorsField("source", normalize=True, max_steps=None)
    made.fit(series(steps.tolist()) for steps in examples)
    return made


def test_mean_and_deviation_are_those_of_all_steps_together(field, examples):
    together = np.concatenate(examples)
    np.testing.assert_allclose(field.mean, together.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(field.deviation, together.std(axis=0), rtol=1e-12)


def test_the_training_data_have_mean_0_and_deviation_1(field, examples):
    encoded = np.concatenate([side.ids for side in field.encode([series(steps) for steps in examples])])
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(encoded.std(axis=0), 1.0, atol=1e-5)


@pytest.mark.parametrize("offset", [0, 1_700_000_000_000, -(2**50), 499_999.5])
def test_numbers_far_from_0_are_read_as_if_they_were_near(offset):
    numbers = np.random.default_rng(4).integers(0, 60, (50, 1)) * 1000.0 + offset
    near, far = (VectorsField("source", normalize=True, max_steps=None) for _ in range(2))
    near.fit(series([[value]]) for value in (numbers - offset)[:, 0])
    far.fit(series([[value]]) for value in numbers[:, 0])
    assert far.deviation[0] == pytest.approx(numbers.std(), rel=1e-12)
    assert far.deviation[0] == pytest.approx(near.deviation[0], rel=1e-12)
    assert far.mean[0] == pytest.approx(numbers.mean(), rel=1e-15)
    encoded = [
        [side.ids for side in field.encode([series([[value]]) for value in values[:, 0]])]
        for field, values in ((near, numbers - offset), (far, numbers))
    ]
    np.testing.assert_allclose(*map(np.concatenate, encoded), rtol=1e-6, atol=1e-6)


def test_a_feature_that_never_changes_has_no_deviation_of_rounding():
    moments = Moments(1)
    for steps in (1, 3, 7):
        moments.add(np.full((steps, 1), 0.1))
    assert (moments.mean[0], moments.deviation()[0]) == (0.1, 1.0)


def test_a_number_that_no_float32_holds_once_normalised_is_told():
    field = VectorsField("source", normalize=True, max_steps=None)
    field.fit([series([[0.0]]), series([[1e-9]])])
    for ask in (field.check, lambda record: field.encode([record])):
        with pytest.raises(
            DataError, match=r"^a\.jsonl:5: a number is too far from those of the training data"
        ):
            ask(series([[1e29]], 5))


def test_raw_numbers_stay_as_they_are(examples):
    field = VectorsField("source", normalize=False, max_steps=None)
    field.fit(map(series, examples))
    (encoded,) = field.encode([series(examples[1])])
    np.testing.assert_array_equal(encoded.ids, examples[1].astype(np.float32))


def test_a_feature_that_never_changes_stays_near_0():
    field = VectorsField("source", normalize=True, max_steps=None)
    field.fit([series([[0.1, value]]) for value in (1, 2, 3)])
    assert field.deviation[0] == 1.0
    assert field.encode([series([[0.1, 2.0]])])[0].ids.tolist() == [[pytest.approx(0.0, abs=1e-7), 0.0]]


def test_moments_do_not_depend_on_the_pieces_nor_suffer_from_a_far_mean():
    numbers = 1e8 + np.random.default_rng(1).normal(size=(1000, 1))
    for pieces in (1, 7, 1000):
        moments = Moments(1)
        for piece in np.array_split(numbers, pieces):
            moments.add(piece)
        assert moments.deviation()[0] == pytest.approx(numbers.std(), rel=1e-6)


def test_a_series_is_cut_to_the_longest(field):
    field = VectorsField("source", normalize=False, max_steps=2)
    field.fit([series([[1], [2], [3]])])
    cut, kept = field.encode([series([[1], [2], [3]]), series([[1], [2]])])
    assert (cut.ids.tolist(), cut.truncated) == ([[1.0], [2.0]], True)
    assert (len(kept.ids), kept.truncated) == (2, False)


def test_the_first_record_says_how_many_features_there_are():
    field = VectorsField("source", normalize=True, max_steps=None)
    with pytest.raises(DataError, match=r"^a\.jsonl:2: step 1 has 3 numbers, expected 2"):
        field.fit([series([[1, 2]]), series([[1, 2, 3]], line=2)])


@pytest.mark.parametrize("records", [[], [series([[], []])]])
def test_nothing_is_learned_from_no_numbers(records):
    with pytest.raises(DataError, match="hold no vectors"):
        VectorsField("source", normalize=True, max_steps=None).fit(records)


def test_one_vector_is_not_several():
    field = VectorsField("source", normalize=True, max_steps=None, sequential=False)
    with pytest.raises(
        DataError, match=r"^a\.jsonl:1: 2 vectors, expected 1; .* or train with `data.source_kind=vectors`$"
    ):
        field.fit([series([[1, 2], [3, 4]])])
    with pytest.raises(DataError, match=r"^a\.jsonl:2: 3 numbers, expected 2; .*`data.source_kind=vectors`$"):
        field.fit([series([[1, 2]]), series([[1, 2, 3]], line=2)])


def test_a_record_is_checked_as_it_would_be_encoded(field):
    field.check(series([[1, 2, 3]]))
    with pytest.raises(DataError, match="expected 3"):
        field.check(series([[1, 2]]))


def test_what_was_learned_is_saved_and_loaded(field, examples):
    loaded = VectorsField("source", normalize=True, max_steps=None)
    loaded.load_json(field.to_json())
    record = series(examples[3])
    np.testing.assert_array_equal(loaded.encode([record])[0].ids, field.encode([record])[0].ids)
    assert loaded.sizes() == VectorSizes(3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        '{"mean": [0.0]}',
        '{"mean": [], "deviation": []}',
        '{"mean": [0.0], "deviation": [1.0, 1.0]}',
        '{"mean": 0.0, "deviation": 1.0}',
        '{"mean": [[0.0]], "deviation": [[1.0]]}',
        '{"mean": [0.0, [1.0]], "deviation": [1.0, 1.0]}',
        '{"mean": ["x"], "deviation": [1.0]}',
        '{"mean": [NaN], "deviation": [1.0]}',
        '{"mean": [0.0], "deviation": [Infinity]}',
        '{"mean": [0.0], "deviation": [0.0]}',
        '{"mean": [0.0], "deviation": [-1.0]}',
        '{"mean": [1' + "0" * 400 + '], "deviation": [1.0]}',
    ],
)
def test_a_malformed_features_file_is_a_model_error(text):
    with pytest.raises(ModelError, match=r"^features\.json: .*; copy it again$"):
        VectorsField("source", normalize=True, max_steps=None).load_json(text)


@pytest.mark.parametrize("value", [99 / 255, 1.7e12 + 0.1, 1e-9, -0.1])
def test_a_feature_that_never_changes_is_not_divided_by_its_rounding(value):
    moments = Moments(1)
    for count in (3, 7, 1000, 64):
        moments.add(np.full((count, 1), value))
    assert moments.deviation() == [1.0]


def test_a_feature_that_hardly_changes_keeps_its_deviation():
    moments = Moments(1)
    moments.add(np.array([[1.7e12], [1.7e12 + 1]]))
    assert moments.deviation() == [0.5]


def test_vectors_are_kept_in_columns_and_padded_with_zeros(field, examples):
    column = Column.of([side.ids for side in field.encode([series(steps) for steps in examples])])
    assert field.lengths(column, np.arange(4)).tolist() == [1, 7, 3, 20]
    batch = field.gather(column, np.array([2, 0]))
    assert batch.shape == (2, 3, 3)
    np.testing.assert_array_equal(batch[0], field.encode([series(examples[2])])[0].ids)
    assert not batch[1, 1:].any()
    assert field.gather(column, np.array([3]), 5).shape == (1, 5, 3)


def test_notes_are_a_byte_a_key_and_learn_nothing():
    field = NotesField("source", keys=5, max_steps=2)
    (encoded,) = field.encode([series([[0, 4], [], [1]])])
    assert (encoded.ids.dtype, encoded.ids.tolist()) == (np.uint8, [[1, 0, 0, 0, 1], [0] * 5])
    assert encoded.truncated
    assert (field.file_name, field.to_json(), field.sizes()) == (None, "", VectorSizes(5))
    with pytest.raises(DataError, match="keys from 0 to 4"):
        field.fit([series([[5]])])


def test_numbers_have_mean_0_and_deviation_1_and_come_back():
    numbers = [3.5, -2.0, 1e3, 7.25]
    field, loaded = NumberField("labels"), NumberField("labels")
    field.fit([target(str(number)) for number in numbers])
    assert field.mean == pytest.approx(np.mean(numbers))
    assert field.deviation == pytest.approx(np.std(numbers))
    loaded.load_json(field.to_json())
    encoded = np.concatenate([side.ids for side in loaded.encode([target(str(n)) for n in numbers])])
    assert encoded.std() == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(loaded.restore(encoded), numbers, rtol=1e-5)


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ((), "0 targets, expected 1 number"),
        (("1", "2"), "2 targets, expected 1 number"),
        (("many",), "'many' is no finite number"),
        (("nan",), "'nan' is no finite number"),
        (("1e999",), "'1e999' is no finite number"),
    ],
)
def test_what_is_no_number_is_told_with_its_location(targets, words):
    for ask in (NumberField("labels").fit, NumberField("labels").encode):
        with pytest.raises(DataError, match=rf"^a\.csv:3: {words}; fix the row$"):
            ask([target(*targets)])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "{}",
        '{"mean": 0.0}',
        '{"mean": "x", "deviation": 1.0}',
        '{"mean": [], "deviation": 1.0}',
        '{"mean": NaN, "deviation": 1.0}',
        '{"mean": 0.0, "deviation": 0.0}',
        '{"mean": 1' + "0" * 400 + ', "deviation": 1.0}',
    ],
)
def test_a_malformed_numbers_file_is_a_model_error(text):
    with pytest.raises(ModelError, match=r"^numbers\.json: .*; copy it again$"):
        NumberField("labels").load_json(text)


def test_what_is_read_decides_the_field():
    kinds = {"text": TextField, "label": TextField, "vector": VectorsField, "vectors": VectorsField}
    kinds["notes"] = NotesField
    for kind, cls in kinds.items():
        field = source_field(DataConfig(source_kind=kind, keys=12))
        assert type(field) is cls
        assert field.sequential == (kind != "vector")
    assert source_field(DataConfig(source_kind="notes", keys=12)).sizes() == VectorSizes(12)


def test_fields_of_other_settings_describe_themselves_differently():
    fields = [
        VectorsField("x", True, None),
        VectorsField("x", False, None),
        VectorsField("x", True, 5),
        VectorsField("x", True, None, sequential=False),
        NotesField("x", 88, None),
        NotesField("x", 12, None),
        NotesField("x", 88, 5),
        NumberField("x"),
    ]
    assert len({field.description for field in fields}) == len(fields)
