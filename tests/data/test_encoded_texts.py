"""Texts are encoded and counted through array operations: as the `tokenizers` library would."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as settings_of_test
from hypothesis import strategies as st
from msgspec.structs import replace
from tokenizers import models, normalizers, trainers

from seqrnn.data.text import chunk_ids, counts
from seqrnn.data.text.chunk_ids import ChunkTally
from seqrnn.data.text.counts import CharacterCounts, WordCounts
from seqrnn.data.text.joined_texts import JoinedTexts
from seqrnn.data.text.learners import vocabulary_learner
from seqrnn.data.text.normalizing import AGREED, FORMS, TextNormalizer, normalizing
from seqrnn.data.text.tokenizer import SPECIALS, UNK, Tokenizer, TokenizerSettings
from seqrnn.data.text.vocabulary import Kind, pipeline, word_splitter
from seqrnn.data.text.words import chunks_of

SAMPLES = Path(__file__).parents[2] / "sample_data"
KINDS: list[Kind] = ["word", "char", "byte", "label", "bpe"]
ODD = "\x00\x01\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2003\u2028\u202f\u3000\v\f\r\t\n  éÉßΣςİIiñ\u0301\u0307\ufeff"
ODD += "猫🚲ǅ\ud7a3"

letters = st.characters(exclude_categories=["Cs"])
texts = st.lists(st.text(st.sampled_from("ab \nÀ" + ODD) | letters, max_size=12), max_size=8)
settings = st.builds(
    TokenizerSettings,
    kind=st.sampled_from(KINDS),
    lowercase=st.booleans(),
    min_count=st.integers(1, 3),
    vocabulary_size=st.sampled_from([7, 300]),
    max_tokens=st.none() | st.integers(1, 5),
    unicode_form=st.sampled_from(["none", *FORMS]),
)


def by_library(tokenizer: Tokenizer, texts: list[str]) -> list[tuple[list[int], bool]]:
    """Encode as the library does by itself."""
    found = tokenizer._pipeline.encode_batch(texts)
    ids = [[number if number >= len(SPECIALS) else UNK for number in encoding.ids] for encoding in found]
    return [(row, bool(encoding.overflowing)) for row, encoding in zip(ids, found, strict=True)]


def learned_by_library(texts: list[str], settings: TokenizerSettings) -> list[str]:
    """Choose the words as the library does by itself."""
    tokenizer = pipeline(settings, models.WordLevel())
    trainer = trainers.WordLevelTrainer(
        vocab_size=settings.vocabulary_size, min_frequency=settings.min_count, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    words = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    return [word for word in words if word not in SPECIALS][: settings.vocabulary_size - len(SPECIALS)]


@given(known=texts, others=texts, settings=settings)
def test_ids_are_those_of_the_library(
    known: list[str], others: list[str], settings: TokenizerSettings
) -> None:
    tokenizer = Tokenizer.learn(known, settings)
    encoded = tokenizer.encode_batch([*known, *others])
    expected = by_library(tokenizer, [*known, *others])
    assert [(one.ids.tolist(), one.truncated) for one in encoded] == expected
    assert [one.unknown for one in encoded] == [ids.count(UNK) for ids, _ in expected]


@given(texts=texts, settings=settings)
def test_vocabularies_are_those_of_the_library(texts: list[str], settings: TokenizerSettings) -> None:
    tokens = Tokenizer.learn(texts, settings).tokens[len(SPECIALS) :]
    if settings.kind in {"word", "label"}:
        assert list(tokens) == learned_by_library(texts, settings)
    if settings.kind == "char":
        normalize = normalizers.Sequence(normalizing(settings.unicode_form, settings.lowercase)).normalize_str
        counted = Counter("".join(map(normalize, texts)))
        frequent = [one for one, count in counted.items() if count >= settings.min_count]
        frequent.sort(key=lambda one: (-counted[one], one))
        assert list(tokens) == frequent[: settings.vocabulary_size - len(SPECIALS)]


@given(known=texts, others=texts, settings=settings, kind=st.sampled_from(["split-word", "joined-word"]))
def test_words_of_raw_text_are_those_of_each_chunk(known, others, settings, kind) -> None:
    settings = replace(settings, kind=kind)
    splitter = word_splitter(settings)

    def words(text: str) -> list[str]:
        return [word for chunk in chunks_of(text) for word in splitter.split(chunk)]

    counted = Counter(word for text in known for word in words(text))
    frequent = sorted(
        (word for word, count in counted.items() if count >= settings.min_count),
        key=lambda word: (-counted[word], word),
    )
    tokenizer = Tokenizer.learn(known, settings)
    assert list(tokenizer.tokens[len(SPECIALS) :]) == frequent[: settings.vocabulary_size - len(SPECIALS)]
    for text, encoded in zip(others, tokenizer.encode_batch(others), strict=True):
        ids = [tokenizer.vocabulary.get(word, UNK) for word in words(text)]
        kept = ids[: settings.max_tokens]
        assert (encoded.ids.tolist(), encoded.truncated) == (kept, len(kept) < len(ids))
        assert encoded.unknown == kept.count(UNK)
        assert tokenizer.split(text) == [tokenizer.tokens[number] for number in ids]


def test_chunks_that_were_forgotten_are_split_again(monkeypatch) -> None:
    tokenizer = Tokenizer.learn(["a,b c"], TokenizerSettings("split-word"))
    monkeypatch.setattr(chunk_ids, "MOST_KEPT", 2)
    texts = ["a,b", "c.c\n", "", "b,a c"] * 2
    assert [tokenizer.encode(text).ids.tolist() for text in texts] == [
        one.ids.tolist() for one in Tokenizer.from_json(tokenizer.to_json()).encode_batch(texts)
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["mails.train.tsv", "lighthouse.txt"])
def test_sample_data_are_encoded_as_the_library_does(kind: Kind, name: str) -> None:
    file = SAMPLES / name
    texts = file.read_text(encoding="utf-8").splitlines(keepends=True)
    tokenizer = Tokenizer.learn(texts[::2], TokenizerSettings(kind, vocabulary_size=800))
    assert [(one.ids.tolist(), one.truncated) for one in tokenizer.encode_batch(texts)] == by_library(
        tokenizer, texts
    )


@pytest.mark.parametrize("form", ["none", *FORMS])
@pytest.mark.parametrize("lowercase", [False, True])
def test_characters_that_python_normalises_come_out_as_from_the_library(form, lowercase) -> None:
    exact = normalizers.Sequence(normalizing(form, lowercase)).normalize_str
    every = [chr(code) for code in range(AGREED)]
    between = [f"a{one}\u0301b" for one in every]
    for characters in (every, between):
        assert list(TextNormalizer(form, lowercase)(characters)) == [exact(one) for one in characters]


def test_every_character_is_white_space_where_the_library_says_so() -> None:
    characters = [f"a{chr(code)}b" for code in range(0x3100)]
    splitter = pipeline(TokenizerSettings("word"), models.WordLevel()).pre_tokenizer
    parts = np.array([len(splitter.pre_tokenize_str(one)) for one in characters])
    tokenizer = Tokenizer.learn(["a b"], TokenizerSettings("word"))
    assert tokenizer.encode_texts(characters).lengths.tolist() == parts.tolist()


@settings_of_test(max_examples=30)
@given(batches=st.lists(texts, max_size=4), size=st.integers(1, 8), min_count=st.integers(1, 2))
def test_words_that_were_put_aside_are_counted_all_the_same(batches, size, min_count) -> None:
    held, aside, other = (WordCounts(ChunkTally()) for _ in range(3))
    for number, batch in enumerate(batches):
        held.add(JoinedTexts.of(batch))
        (aside, other)[number % 2].add(JoinedTexts.of(batch))
        aside.merge(other.take())
        if number == 2:
            aside.merge(aside.take())
    assert aside.most_frequent(size, min_count) == held.most_frequent(size, min_count)


def test_characters_counted_in_parts_are_added_up() -> None:
    whole, part, other = CharacterCounts(), CharacterCounts(), CharacterCounts()
    whole.add(JoinedTexts.of(["baa", "c猫"]))
    part.add(JoinedTexts.of(["baa"]))
    other.add(JoinedTexts.of(["c猫"]))
    part.merge(other.take())
    assert part.most_frequent(9, 1) == whole.most_frequent(9, 1) == ["a", "b", "c", "猫"]
    assert other.most_frequent(9, 1) == []


def test_labels_that_were_put_aside_keep_their_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_HELD", 1)
    settings = TokenizerSettings("label")
    learner = vocabulary_learner(settings)
    for batch in (["New York", "Ely", "a\nb"], ["Ely", "New York", "Ely"]):
        learner.add(batch)
    assert learner.learned()[0] == ["Ely", "New York", "a\nb"]


def test_many_different_words_do_not_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_HELD", 10)
    texts = [f"w{number} w{number // 2}" for number in range(3000)]
    few = Tokenizer.learn(texts, TokenizerSettings("word", vocabulary_size=40)).tokens
    monkeypatch.undo()
    assert few == Tokenizer.learn(texts, TokenizerSettings("word", vocabulary_size=40)).tokens


def test_a_composed_character_is_one_token_of_the_limit() -> None:
    tokenizer = Tokenizer.learn(["\u00e9"], TokenizerSettings("char", max_tokens=4, unicode_form="nfc"))
    encoded = tokenizer.encode("e\u0301" * 5)
    assert (len(encoded.ids), encoded.truncated) == (4, True)


def test_texts_are_cut_and_chosen_without_the_others() -> None:
    tokenizer = Tokenizer.learn(["abc"], TokenizerSettings("char", max_tokens=2))
    encoded = tokenizer.encode_texts(["abc", "", "b", "cab"])
    assert encoded.lengths.tolist() == [2, 0, 1, 2]
    assert encoded.truncated.tolist() == [True, False, False, True]
    kept = encoded.only(~encoded.truncated)
    assert [kept.ids.tolist(), kept.lengths.tolist()] == [[5], [0, 1]]
    assert encoded.only(np.zeros(4, dtype=bool)).ids.tolist() == []
