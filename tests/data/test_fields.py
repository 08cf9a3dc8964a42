from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqrnn.data.fields.field import LabelField, TextField, load_fields
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import UNK, TokenizerSettings
from seqrnn.errors import DataError, ModelError


def record(*targets: str, source: str = "text", line: int = 1) -> Record:
    return Record(source, targets, "data.tsv", line)


def learned(*labels: str) -> LabelField:
    field = LabelField("label", multi_label=False)
    field.fit([record(label) for label in labels])
    return field


def test_a_text_field_reads_the_source() -> None:
    field = TextField("source", TokenizerSettings())
    field.fit([record("x", source="b b a")])
    encoded = field.encode([record(source="a b"), record(source="c")])
    assert [e.ids.tolist() for e in encoded] == [[5, 4], [UNK]]
    assert [e.unknown for e in encoded] == [0, 1]
    assert field.dtype == np.uint8


def test_a_text_field_can_read_the_first_target() -> None:
    field = TextField("target", TokenizerSettings(), side="target")
    field.fit([record("b b a", "other")])
    assert field.encode([record("a", "b")])[0].ids.tolist() == [5]
    assert field.file_name == "target_tokenizer.json"
    with pytest.raises(DataError, match=r"data\.tsv:7: no target"):
        field.encode([record(line=7)])


def test_examples_are_cut_but_a_stream_is_not() -> None:
    settings = TokenizerSettings(kind="char", max_tokens=2)
    lengths = []
    for stream in (False, True):
        field = TextField("text", settings, stream)
        field.fit([record(source="abc")])
        lengths.append(len(field.encode([record(source="abc")])[0].ids))
    assert lengths == [2, 3]


def test_a_text_field_that_was_loaded_encodes_as_before() -> None:
    field, loaded = (TextField("source", TokenizerSettings(kind="char")) for _ in range(2))
    field.fit([record(source="hello")])
    loaded.load_json(field.to_json())
    assert loaded.encode([record(source="ohl")])[0].ids.tolist() == [
        field.tokenizer.vocabulary[c] for c in "ohl"
    ]


@pytest.mark.parametrize(
    "other", [{"kind": "word"}, {"lowercase": True}, {"unicode_form": "nfc"}, {"max_tokens": 7}]
)
def test_a_tokenizer_that_cuts_texts_in_another_way_is_refused(other: dict[str, Any]) -> None:
    field = TextField("source", TokenizerSettings(kind="char"))
    learned_otherwise = TextField("source", TokenizerSettings(**{"kind": "char", **other}))
    learned_otherwise.fit([record(source="hello")])
    with pytest.raises(ModelError, match=r"^tokenizer\.json: has .*, the configuration .* copy it again"):
        field.load_json(learned_otherwise.to_json())


def test_an_error_of_a_field_names_the_file(tmp_path) -> None:
    with pytest.raises(ModelError, match=f"^{tmp_path}/labels.json: malformed JSON"):
        load_fields([LabelField("labels", False)], lambda name: "{", tmp_path)


def test_labels_are_numbered_in_alphabetical_order() -> None:
    field = learned("b", "c", "a", "b")
    assert field.labels == ["a", "b", "c"]
    assert [e.ids.tolist() for e in field.encode([record("c"), record("a")])] == [[2], [0]]


def test_several_labels_and_none_are_allowed_where_asked_for() -> None:
    field = LabelField("label", multi_label=True)
    field.fit([record(*"ihgfe"), record(), record(*"abcd")])
    encoded = field.encode([record("i", "b", "i"), record()])
    assert [e.ids.tolist() for e in encoded] == [[1, 8], []]


# `evaluate` says so, too, which has no --multi-label.
COLUMNS = "choose columns with `data.text_column` and `data.label_column`"
REMEDY = "or train with any number of labels a row by `data.multi_label=true`"
NONE = f"no label; give it one or remove the row, {COLUMNS}, {REMEDY}"
TWO = f"2 labels, expected 1; fix the row, {COLUMNS}, or train with several by `data.multi_label=true`"


@pytest.mark.parametrize(("labels", "what"), [((), NONE), (("a", "b"), TWO)])
def test_other_than_one_label_is_an_error_with_its_location(labels: tuple[str, ...], what: str) -> None:
    with pytest.raises(DataError, match=rf"data\.tsv:9: {what}$"):
        learned("a", "b").encode([record("a"), record(*labels, line=9)])
    with pytest.raises(DataError, match=rf"data\.tsv:9: {what}$"):
        LabelField("label", False).fit([record(*labels, line=9)])


def test_labels_that_training_did_not_have_are_numbered_as_they_come_with_their_locations() -> None:
    field = learned("GetWeather", "PlayMusic")
    rows = [record("PlayMusik", line=4), record("PlayMusic"), record("x"), record("PlayMusik", line=9)]
    assert [encoded.ids.tolist() for encoded in field.encode(rows)] == [[2], [1], [3], [2]]
    assert field.encode([record("x")])[0].ids.tolist() == [3]
    assert field.names == ["GetWeather", "PlayMusic", "PlayMusik", "x"]
    assert {name: str(place) for name, place in field.unknown.items()} == {
        "PlayMusik": "data.tsv:4",
        "x": "data.tsv:1",
    }
    assert field.count_unknown(np.array([2, 0, 3, 2])).tolist() == [2, 1]
    assert "PlayMusik" not in field.to_json()


def test_several_labels_may_be_unknown_beside_known_ones() -> None:
    field = LabelField("label", multi_label=True)
    field.fit([record("a", "b")])
    assert field.encode([record("new", "b", "new", "a")])[0].ids.tolist() == [0, 1, 2]


def test_blanks_around_a_label_are_no_part_of_it() -> None:
    field = learned("pos", " pos", "neg\t", "\u00a0pos ")
    assert field.labels == ["neg", "pos"]
    assert field.encode([record(" pos  ")])[0].ids.tolist() == [1]
    several = LabelField("label", multi_label=True)
    several.fit([record("a ", " a", " ", "b b")])
    assert several.labels == ["a", "b b"]
    with pytest.raises(DataError, match="no label"):
        learned("a", "b").encode([record(" ")])


def test_one_class_only_is_named() -> None:
    with pytest.raises(DataError, match="every training example has the label 'spam'"):
        learned("spam", "spam")


def test_no_label_at_all_is_an_error() -> None:
    with pytest.raises(DataError, match="no label"):
        LabelField("label", multi_label=True).fit([record(), record()])


def test_labels_are_saved_and_loaded() -> None:
    field, loaded = learned("ü", "b"), LabelField("label", False)
    assert field.to_json() == '{"multi_label": false, "labels": ["b", "ü"]}'
    loaded.load_json(field.to_json())
    assert loaded.labels == field.labels


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        '{"multi_label": false}',
        '{"multi_label": true, "labels": ["a", "b"]}',
        '{"multi_label": false, "labels": []}',
        '{"multi_label": false, "labels": ["a", "a"]}',
        '{"multi_label": false, "labels": ["b", "a"]}',
        '{"multi_label": false, "labels": ["a", 1]}',
        '{"multi_label": false, "labels": "ab"}',
    ],
)
def test_a_malformed_labels_file_is_a_model_error(text: str) -> None:
    with pytest.raises(ModelError, match=r"^labels\.json: .*; copy it again$"):
        LabelField("label", False).load_json(text)


def test_fields_of_other_settings_describe_themselves_differently() -> None:
    settings = TokenizerSettings()
    fields = [
        TextField("x", settings),
        TextField("x", settings, side="target"),
        TextField("x", TokenizerSettings(lowercase=True)),
        LabelField("x", False),
        LabelField("x", True),
    ]
    assert len({field.description for field in fields}) == len(fields)
