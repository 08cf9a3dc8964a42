"""References as bytes, labels as tokens, and sources that are held out with all their targets."""

from __future__ import annotations

import numpy as np
import pytest

from seqrnn.config import DataConfig
from seqrnn.data.dataset.columns import Column
from seqrnn.data.dataset.prepare import prepare
from seqrnn.data.dataset.references import END, ReferencesField, shared_references, texts_of
from seqrnn.data.dataset.split import SourceSplit, assign
from seqrnn.data.fields.field import TextField, load_fields, vocabulary_files
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import UNK, Tokenizer, TokenizerSettings
from seqrnn.errors import ModelError

TEXTS = [("AH B",), ("ä ö", "x\0y", " z "), ("\ud83d half a pair",), ()]


def test_references_come_back_as_they_were_whatever_pads_the_batch():
    sides = ReferencesField("references").encode([Record("a", targets) for targets in TEXTS])
    width = max(len(side.ids) for side in sides) + 3
    for side, targets in zip(sides, TEXTS, strict=True):
        padded = np.full(width, END)
        padded[: len(side.ids)] = side.ids
        assert texts_of(padded) == list(targets)
        assert side.ids.max(initial=0) <= END


def test_a_field_that_learns_nothing_has_no_file(tmp_path):
    tokens = TextField("source", TokenizerSettings("word"))
    tokens.fit([Record("a b")])
    references = ReferencesField("references")
    assert list(vocabulary_files([tokens, references])) == ["tokenizer.json"]
    again = TextField("source", TokenizerSettings("word"))
    load_fields([again, references], lambda name: {"tokenizer.json": tokens.to_json()}[name], tmp_path)
    assert again.tokenizer.tokens == tokens.tokenizer.tokens
    with pytest.raises(ModelError):
        references.load_json("{}")


def test_a_label_is_one_token_without_the_blanks_around_it():
    settings = TokenizerSettings.of(DataConfig(source_kind="label", tokenizer="char"))
    tokenizer = Tokenizer.learn(["New Zealand", " Irish ", "Irish"], settings)
    assert tokenizer.tokens[4:] == ("Irish", "New Zealand")
    encoded = tokenizer.encode_batch(["New Zealand", "Irish\t", "New", ""])
    assert [side.ids.tolist() for side in encoded] == [[5], [4], [UNK], []]
    assert [side.unknown for side in encoded] == [0, 0, 1, 0]
    again = Tokenizer.from_json(tokenizer.to_json())
    assert (again.kind, again.tokens) == ("label", tokenizer.tokens)
    assert again.encode("New Zealand").ids.tolist() == [5]


def test_a_target_has_a_tokenizer_of_its_own_and_keeps_its_capitals():
    data = DataConfig(tokenizer="char", target_tokenizer="word", lowercase=True)
    assert (TokenizerSettings.of(data).kind, TokenizerSettings.of(data).lowercase) == ("char", True)
    assert (TokenizerSettings.of_target(data).kind, TokenizerSettings.of_target(data).lowercase) == (
        "word",
        False,
    )


@pytest.mark.parametrize("kind", ["word", "char", "byte", "bpe"])
def test_split_gives_all_tokens_however_many(kind):
    text = "the cat sat on the mat, the cat sat"
    short = Tokenizer.learn([text], TokenizerSettings(kind, max_tokens=3))
    long = Tokenizer.learn([text], TokenizerSettings(kind))
    assert short.split(text) == [long.token(number) for number in long.encode(text).ids]
    assert len(short.split(text)) > 3


def test_words_that_are_not_known_are_told_from_all_that_are():
    tokenizer = Tokenizer.learn(["a b"], TokenizerSettings("word"))
    assert tokenizer.split("a c d") == ["a", "<unk>", "<unk>"]


RECORDS = [Record(f"word{row % 700}", (f"target {row}",)) for row in range(2000)]


def drawn_from(split, records):
    """Return each record, and whether it is held out."""
    return [pair for batch, held_out in assign(split, records) for pair in zip(batch, held_out, strict=True)]


def test_a_source_is_held_out_with_all_its_targets_or_not_at_all():
    drawn = drawn_from(SourceSplit(0.2, 1), RECORDS)
    held = {record.source for record, held_out in drawn if held_out}
    kept = {record.source for record, held_out in drawn if not held_out}
    assert not held & kept
    assert 0.15 < len(held) / 700 < 0.25
    assert len(drawn) == 2000
    shuffled = {
        record.source for record, held_out in drawn_from(SourceSplit(0.2, 1), RECORDS[::-1]) if held_out
    }
    assert shuffled == held
    assert {
        record.source for record, held_out in drawn_from(SourceSplit(0.2, 2), RECORDS) if held_out
    } != held


@pytest.mark.parametrize(("kind", "apart"), [("text", True), ("label", False)])
def test_labels_that_are_written_from_stand_in_both_parts(tmp_path, kind, apart):
    file = tmp_path / "a.tsv"
    file.write_text("".join(f"s{row % 5}\tt{row}\n" for row in range(200)))
    data = DataConfig(
        train=(str(file),), format="tsv", source_kind=kind, holdout="sources", valid_fraction=0.3
    )
    field = TextField("source", TokenizerSettings.of(data))
    prepared = prepare(data, [field], seed=4)
    train, valid = set(prepared.train["source"].values), set(prepared.valid["source"].values)
    assert valid
    assert (not train & valid or valid == {UNK}) == apart


def test_examples_that_read_the_same_share_their_references():
    source = Column.of([np.array(row, dtype=np.uint8) for row in ([1, 2], [1], [1, 2], [2])])
    field = ReferencesField("references")
    texts = [("one", "two"), ("three",), ("four",), ()]
    references = Column.of([side.ids for side in field.encode([Record("x", text) for text in texts])])
    shared = shared_references(source, references)
    found = [texts_of(row) for row in shared.gather(np.arange(4), pad_value=END)]
    assert found == [["one", "two", "four"], ["three"], ["one", "two", "four"], []]
