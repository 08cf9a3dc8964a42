"""Tokens, their characters and their tags as integers."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrnn.data.fields.token_fields import LONGEST_SPELLING, CharactersField, TagField, TokensField
from seqrnn.data.record import Record
from seqrnn.data.text.spellings import unique_spellings
from seqrnn.data.text.tokenizer import EOS, UNK, Tokenizer, TokenizerSettings
from seqrnn.data.text.tokens import join_tokens, split_tokens
from seqrnn.errors import DataError, ModelError


def record(source: str, *targets: str) -> Record:
    return Record(source, targets, "a.conll", 7)


def characters(*sources: str, max_tokens: int | None = None) -> CharactersField:
    field = CharactersField("characters", max_tokens)
    field.fit([record(source) for source in sources])
    return field


def tags(*records: Record, max_tokens: int | None = None) -> TagField:
    field = TagField("tags", max_tokens)
    field.fit(records)
    return field


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_tokens_in_a_line_stay_as_many_when_it_is_cut(tokens: list[str]):
    line = join_tokens(tokens)
    assert len(split_tokens(line)) == len(tokens)
    assert len(Tokenizer.learn([line], TokenizerSettings()).encode(line).ids) == len(tokens)


@given(st.text("ab \t\u00a0\u2028\u0085\x1c"))
def test_a_line_has_as_many_words_spellings_and_tokens(line: str):
    words, spelled = TokensField("source", TokenizerSettings()), characters("ab ab")
    words.fit([record(line)])
    count = len(split_tokens(line))
    assert len(words.encode([record(line)])[0].ids) == count
    assert np.count_nonzero(spelled.encode([record(line)])[0].ids == EOS) == count


def gains_a_blank(letter: str) -> bool:
    return " " in unicodedata.normalize("NFKD", letter)


LETTERS = [chr(code) for code in range(0x20, 0x20000) if not 0xD800 <= code < 0xE000]


@pytest.mark.parametrize("form", ["none", "nfc", "nfd", "nfkc", "nfkd"])
def test_a_token_stays_one_in_every_normal_form(form):
    letters = [letter for letter in LETTERS if gains_a_blank(letter) or ord(letter) % 31 == 0]
    field = TokensField("source", TokenizerSettings("word", lowercase=True, unicode_form=form))
    tokens = [token for letter in letters for token in (letter, f"a{letter}b")]
    rows = [tokens[start : start + 100] for start in range(0, len(tokens), 100)]
    records = [record(join_tokens(row)) for row in rows]
    field.fit(records)
    encoded = field.encode(records)
    assert [(len(found.ids), found.unknown) for found in encoded] == [(len(row), 0) for row in rows]
    opened = TokensField("source", TokenizerSettings("word", lowercase=True, unicode_form=form))
    opened.load_json(field.to_json())
    assert opened.encode(records[:1])[0].ids.tolist() == encoded[0].ids.tolist()


def test_a_token_is_the_same_whatever_is_beside_it():
    field = TokensField("source", TokenizerSettings("word", unicode_form="nfkc"))
    field.fit([record("x\u00b4y \u00b4 z")])
    whole = field.encode([record("x\u00b4y \u00b4 z")])[0].ids.tolist()
    assert [field.encode([record(token)])[0].ids.tolist() for token in ("x\u00b4y", "\u00b4", "z")] == [
        [token] for token in whole
    ]
    assert len(set(whole)) == 3


def test_each_token_is_spelled_and_ended():
    field = characters("ab ba", "cc")
    a, b, c = (field.tokenizer.vocabulary[letter] for letter in "abc")
    first, none, last = field.encode([record("ab  c\tb "), record(""), record("x")])
    assert first.ids.tolist() == [a, b, EOS, c, EOS, b, EOS]
    assert none.ids.tolist() == []
    assert last.ids.tolist() == [UNK, EOS]


def test_a_character_that_was_seen_once_is_unknown_and_case_is_kept():
    field = characters("aa AA q")
    assert field.encode([record("aAq")])[0].ids[-2] == UNK
    assert field.encode([record("a")])[0].ids[0] != field.encode([record("A")])[0].ids[0]


def test_a_huge_token_is_spelled_by_its_beginning():
    assert len(characters("ab").encode([record("ab" * 10**6)])[0].ids) == LONGEST_SPELLING + 1


def test_fields_cut_a_sentence_at_the_same_token():
    sentence = record("aa bb cc", "X", "Y", "X")
    words = TokensField("source", TokenizerSettings(max_tokens=2))
    words.fit([sentence])
    spelled, tagged = characters("aa bb cc", max_tokens=2), tags(sentence, max_tokens=2)
    assert words.encode([sentence])[0].truncated
    assert len(words.encode([sentence])[0].ids) == 2
    assert np.count_nonzero(spelled.encode([sentence])[0].ids == EOS) == 2
    assert tagged.encode([sentence])[0].ids.tolist() == [0, 1]


@pytest.mark.parametrize("targets", [("Y", "X", "Y"), ("Y X Y ",)])
def test_tags_come_one_a_token_or_in_one_line(targets: tuple[str, ...]):
    field = tags(record("a b c", *targets))
    assert field.tags == ["X", "Y"]
    assert field.encode([record("a b c", *targets)])[0].ids.tolist() == [1, 0, 1]


def test_other_than_one_tag_a_token_is_an_error_with_both_counts():
    with pytest.raises(DataError, match=r"a\.conll:7: 3 tokens, 2 tags; .* or train with `task=seq2seq`$"):
        tags(record("a b c", "X Y"))
    with pytest.raises(DataError, match=r"a\.conll:7: 1 token, 2 tags"):
        tags(record("a b", "X Y")).encode([record("a", "X", "Y")])
    with pytest.raises(DataError, match=r"a\.conll:7: 2 tokens, 0 tags"):
        tags(record("a b", "X Y")).encode([record("a b")])


def test_a_tag_that_training_did_not_have_comes_after_the_others_with_its_own_line():
    field = tags(record("a b", "NOUN VERB"))
    sentence = record("a b c", "VERB", "NOUM", "NOUN")._replace(lines=(7, 8, 10))
    assert field.encode([sentence])[0].ids.tolist() == [1, 2, 0]
    assert {name: str(place) for name, place in field.unknown.items()} == {"NOUM": "a.conll:8"}
    assert field.names == ["NOUN", "VERB", "NOUM"]


def test_an_odd_tag_is_remarked_on_with_its_own_line_and_the_scheme_stays():
    many = [record("a b c", "B-x I-x O")] * 10
    field = tags(*many, record("a b", "O", "0")._replace(lines=(50, 51)))
    assert field.scheme == "bio"
    assert [(str(place), text) for place, text in field.remarks] == [
        ("a.conll:51", "the tag '0' (tokens: 1) is read as O, outside of all spans; fix it if it is a slip")
    ]
    assert tags(*many).remarks == []


def test_the_scheme_is_the_one_that_was_asked_for():
    rows = [record("a b c", "B-x E-x O")] * 10
    for chosen, scheme in {"auto": "bioes", "none": None, "bioes": "bioes"}.items():
        field = TagField("tags", None, chosen)
        field.fit(rows)
        assert field.scheme == scheme
    with pytest.raises(
        DataError, match=r"a\.conll:7: the tag 'E-x' is none of BIO; use another `data.tag_scheme`"
    ):
        TagField("tags", None, "bio").fit(rows)


def test_the_scheme_is_kept_and_runs_without_it_have_that_of_their_time():
    field, other = tags(record("a b c", "B-x M-x O")), TagField("tags", None)
    other.load_json(field.to_json())
    assert (field.scheme, other.scheme) == ("bioes", "bioes")
    other.load_json('{"tags": ["B-x", "M-x", "O"]}')
    assert other.scheme is None
    other.load_json('{"tags": ["B-x", "O"]}')
    assert other.scheme == "bio"
    with pytest.raises(ModelError, match="no scheme 'bilou'; copy it again"):
        other.load_json('{"tags": ["B-x", "O"], "scheme": "bilou"}')
    with pytest.raises(ModelError, match="scheme"):
        other.load_json('{"tags": ["B-x", "O"], "scheme": []}')


def test_one_tag_for_all_is_nothing_to_learn():
    with pytest.raises(DataError, match="only the tag 'X'"):
        tags(record("a b", "X X"))


def test_what_was_learned_comes_back_as_it_was_written():
    field, other = tags(record("a b", "Y X")), TagField("tags", None)
    other.load_json(field.to_json())
    assert other.tags == ["X", "Y"]
    spelled, same = characters("ab ba"), CharactersField("characters", None)
    same.load_json(spelled.to_json())
    assert same.encode([record("ab q")])[0].ids.tolist() == spelled.encode([record("ab q")])[0].ids.tolist()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"tags": ["b", "a"]}', '{"tags": ["a"]}', '{"tags": [1, 2]}']
)
def test_malformed_tags_are_refused(text: str):
    with pytest.raises(ModelError, match=r"tags\.json"):
        TagField("tags", None).load_json(text)


def test_a_tokenizer_of_words_is_no_list_of_characters():
    words = Tokenizer.learn(["a b"], TokenizerSettings()).to_json()
    with pytest.raises(ModelError, match=r"characters\.json: has kind word, the configuration char"):
        CharactersField("characters", None).load_json(words)


# A batch of spellings


def spelled(field: CharactersField, lines: list[str], width: int) -> list[list[str]]:
    """Go through the arrays of a batch and spell each token again."""
    encoded = [field.encode([record(line)])[0].ids for line in lines]
    padded = np.zeros((len(lines), max(map(len, encoded), default=0)), dtype=np.int64)
    for row, ids in enumerate(encoded):
        padded[row, : len(ids)] = ids
    counts = np.array([len(split_tokens(line)) for line in lines])
    arrays = unique_spellings(padded, counts, width)
    spellings, sizes = arrays["spellings"], arrays["spelling_lengths"]
    assert len({tuple(row) for row in spellings.tolist()}) == len(spellings)
    assert sizes.tolist() == sorted(sizes, reverse=True)
    assert spellings.shape[1] == (sizes[0] if len(sizes) else 0)
    words = [field.tokenizer.decode(row[:size]) for row, size in zip(spellings, sizes, strict=True)]
    assert arrays["spelling_index"].shape == (len(lines), width)
    return [
        [words[i] for i in row[:count]] for row, count in zip(arrays["spelling_index"], counts, strict=True)
    ]


@given(st.lists(st.lists(st.text("abc", min_size=1, max_size=4), max_size=6), max_size=6))
def test_a_batch_spells_each_different_word_once_and_finds_it_for_each_token(sentences: list[list[str]]):
    field = characters("aa bb cc")
    lines = [" ".join(sentence) for sentence in sentences]
    assert spelled(field, lines, 7) == sentences
