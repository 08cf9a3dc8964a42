from __future__ import annotations

import json
import unicodedata
from collections import Counter
from threading import Thread
from typing import Any

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from seqrnn.data.text.learners import vocabulary_learner
from seqrnn.data.text.tokenizer import BLANK, BOS, EOS, SPECIALS, UNK, Tokenizer, TokenizerSettings
from seqrnn.data.text.vocabulary import byte_alphabet
from seqrnn.errors import DataError, ModelError

TEXTS = ["the cat sat on the mat\n", "the dog sat\n", "a naïve 猫 said: ok\n"]
KINDS = ["word", "char", "byte", "bpe"]


def learn(kind: Any, texts: list[str] = TEXTS, **settings: Any) -> Tokenizer:
    settings.setdefault("vocabulary_size", 400)
    return Tokenizer.learn(texts, TokenizerSettings(kind=kind, **settings))


def spellings(tokenizer: Tokenizer, text: str) -> list[str]:
    return [tokenizer.token(i) for i in tokenizer.encode(text).ids]


@pytest.mark.parametrize("kind", KINDS)
def test_the_specials_are_the_first_four_ids(kind: str) -> None:
    tokenizer = learn(kind)
    assert [tokenizer.token(i) for i in (BLANK, UNK, BOS, EOS)] == ["<blank>", "<unk>", "<bos>", "<eos>"]


def test_words_are_what_white_space_separates_and_newlines_are_words() -> None:
    tokenizer = learn("word", ["a,b  c\td\n\n e"])
    assert spellings(tokenizer, "a,b  c\td\n\n e") == ["a,b", "c", "d", "\n", "\n", "e"]


def test_words_are_ordered_by_count_and_then_by_string() -> None:
    words = [*"bbaacccd", "<unk>", "<eos>", "<eos>", "<eos>", "<eos>"]
    counts = Counter(word for word in words if word not in SPECIALS)
    expected = sorted(counts, key=lambda word: (-counts[word], word))
    assert learn("word", [" ".join(words)]).tokens == (*SPECIALS, *expected)


@pytest.mark.parametrize("kind", ["word", "char"])
def test_rare_tokens_are_unknown_and_counted(kind: str) -> None:
    tokenizer = learn(kind, ["x x y" if kind == "word" else "xxy"], min_count=2)
    encoded = tokenizer.encode("x y z" if kind == "word" else "xyz")
    assert encoded.ids.tolist() == [4, UNK, UNK]
    assert encoded.unknown == 2


@pytest.mark.parametrize("kind", ["word", "char"])
def test_the_vocabulary_size_includes_the_specials(kind: str) -> None:
    tokenizer = learn(kind, ["c c c b b a"], vocabulary_size=6)
    assert len(tokenizer) == 6
    assert tokenizer.token(4) == ("c" if kind == "word" else " ")


@pytest.mark.parametrize("kind", ["char", "byte", "bpe"])
def test_a_special_in_the_text_is_spelled_out(kind: str) -> None:
    tokenizer = learn(kind, ["<blank><unk><bos><eos> <eos> <eos>"])
    ids = tokenizer.encode("<eos><blank><unk> <bos>").ids
    assert ids.min() >= len(SPECIALS)
    assert tokenizer.decode(ids) == "<eos><blank><unk> <bos>"


def test_a_special_as_a_word_is_unknown() -> None:
    encoded = learn("word").encode("the <unk> <bos> <eos> <blank> cat")
    assert encoded.ids.tolist()[1:-1] == [UNK] * 4
    assert encoded.unknown == 4


@pytest.mark.parametrize("kind", ["char", "byte", "bpe"])
def test_encoding_loses_nothing_of_a_known_text(kind: str) -> None:
    tokenizer = learn(kind)
    assert [tokenizer.decode(e.ids) for e in tokenizer.encode_batch(TEXTS)] == TEXTS


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_bytes_are_those_of_utf_8_and_never_unknown(text: str) -> None:
    tokenizer = learn("byte", [])
    assert bytes(int(i) - len(SPECIALS) for i in tokenizer.encode(text).ids) == text.encode()
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_bpe_brings_back_any_text(text: str) -> None:
    tokenizer = learn("bpe")
    encoded = tokenizer.encode(text)
    assert encoded.unknown == 0
    assert tokenizer.decode(encoded.ids) == text


def test_bpe_merges_what_is_frequent() -> None:
    assert spellings(learn("bpe", ["hello hello hello"] * 9), "hello") == ["hello"]


def test_characters_include_nul_and_line_separators() -> None:
    text = "a\0b\u2028c\x0bd\u0085"
    assert spellings(learn("char", [text]), text) == list(text)


def test_the_byte_alphabet_is_the_librarys() -> None:
    assert set(byte_alphabet()) == set(pre_tokenizers.ByteLevel.alphabet())
    assert sorted(byte_alphabet().values()) == list(range(256))


@pytest.mark.parametrize("kind", ["word", "char"])
def test_lower_casing_belongs_to_the_saved_tokenizer(kind: str) -> None:
    tokenizer = learn(kind, ["AbC abc"], lowercase=True)
    again = Tokenizer.from_json(tokenizer.to_json())
    assert again.encode("ABC").ids.tolist() == tokenizer.encode("abc").ids.tolist()
    assert again.encode("ABC").unknown == 0


@pytest.mark.parametrize("form", ["nfc", "nfd", "nfkc", "nfkd"])
def test_a_unicode_form_belongs_to_the_saved_tokenizer(form: str) -> None:
    texts = ["\ud55c\uae00 \u00c9t\u00e9 \ufb01", "e\u0301"]
    normal = [unicodedata.normalize(form.upper(), text).lower() for text in texts]
    tokenizer = learn("char", texts, unicode_form=form, lowercase=True)
    again = Tokenizer.from_json(tokenizer.to_json())
    assert set(again.tokens[len(SPECIALS) :]) == set("".join(normal))
    assert [again.decode(again.encode(text).ids) for text in texts] == normal


def test_a_tokenizer_with_an_unknown_normalizer_is_refused() -> None:
    content = json.loads(learn("char", ["a"], lowercase=True).to_json())
    content["normalizer"]["normalizers"].append({"type": "StripAccents"})
    with pytest.raises(ModelError, match="normalizer"):
        Tokenizer.from_json(json.dumps(content))


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_is_cut_to_max_tokens_and_says_so(kind: str) -> None:
    tokenizer = Tokenizer.from_json(learn(kind, ["a b c"], max_tokens=3).to_json())
    whole = learn(kind, ["a b c"]).encode("a b c a b c")
    encoded = tokenizer.encode("a b c a b c")
    assert encoded.ids.tolist() == whole.ids.tolist()[:3]
    assert encoded.truncated
    exact = tokenizer.encode(tokenizer.decode(encoded.ids))
    assert len(exact.ids) == 3
    assert not exact.truncated


@pytest.mark.parametrize("kind", KINDS)
def test_learning_twice_gives_the_same_file(kind: str) -> None:
    assert learn(kind).to_json() == learn(kind).to_json()


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_tokenizer_encodes_as_before(kind: str) -> None:
    tokenizer = learn(kind, max_tokens=9)
    again = Tokenizer.from_json(tokenizer.to_json())
    assert again.to_json() == tokenizer.to_json()
    assert again.kind == kind
    assert again.encode("the cat 犬\n").ids.tolist() == tokenizer.encode("the cat 犬\n").ids.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_the_library_reads_the_file_as_we_do(kind: str) -> None:
    tokenizer = learn(kind)
    library = tokenizers.Tokenizer.from_str(tokenizer.to_json())
    assert library.encode("the cat 犬\n").ids == tokenizer.encode("the cat 犬\n").ids.tolist()


def test_the_stream_joins_words_by_spaces_but_not_around_newlines() -> None:
    tokenizer = learn("word", ["to be , or not\nto be"])
    decoder = tokenizer.decoder()
    pieces = [decoder.feed(i) for i in tokenizer.encode("to be , or\nnot").ids]
    assert pieces == ["to", " be", " ,", " or", "\n", "not"]


@pytest.mark.parametrize(
    ("prompt", "expected"), [("to", " be , or"), ("to ", "be , or"), ("to\n", "be , or"), ("", "be , or")]
)
def test_the_stream_goes_on_from_a_prompt(prompt: str, expected: str) -> None:
    tokenizer = learn("word", ["to be , or not"])
    decoder = tokenizer.decoder(prompt)
    assert "".join(map(decoder.feed, tokenizer.encode("be , or").ids)) == expected


def test_the_stream_holds_an_incomplete_character_back() -> None:
    tokenizer = learn("byte", [])
    decoder = tokenizer.decoder()
    ids = tokenizer.encode("é猫").ids
    assert [decoder.feed(i) for i in ids] == ["", "é", "", "", "猫"]
    assert [decoder.feed(ids[0]), decoder.finish()] == ["", "\ufffd"]


def test_broken_utf_8_decodes_to_the_replacement_character() -> None:
    ids = [len(SPECIALS) + byte for byte in b"a\xff\xc3b"]
    assert learn("byte", []).decode(ids) == "a\ufffd\ufffdb"


def test_specials_have_no_text() -> None:
    tokenizer = learn("word", ["a b"])
    assert tokenizer.decode([BOS, 4, UNK, 5, EOS, BLANK]) == "a b"


@pytest.mark.parametrize("kind", KINDS)
def test_the_characters_of_the_ids_add_up_to_the_length_of_the_text(kind: str) -> None:
    tokenizer = learn(kind)
    ids = [i for text in TEXTS for i in tokenizer.encode(text).ids]
    assert tokenizer.character_counts()[ids].sum() == len("".join(TEXTS))


def test_an_error_of_the_texts_passes_through_the_learning() -> None:
    def texts() -> Any:
        yield "a"
        raise DataError("train.txt:2: not UTF-8")

    with pytest.raises(DataError, match=r"train\.txt:2"):
        Tokenizer.learn(texts(), TokenizerSettings(kind="word"))


def changed(kind: str, change: Any) -> str:
    content = json.loads(learn(kind).to_json())
    change(content)
    return json.dumps(content)


def vocabulary(**tokens: int) -> Any:
    return lambda content: content["model"]["vocab"].update({k.strip("_"): v for k, v in tokens.items()})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        "1" * 5000,
        changed("word", vocabulary(cat=999)),
        changed("word", vocabulary(cat=5)),
        changed("word", vocabulary(cat=-1)),
        changed("word", vocabulary(cat="5")),
        changed("char", lambda content: content["model"]["vocab"].pop("<eos>")),
        changed("word", lambda content: content["model"].update(type="WordPiece")),
        changed("word", lambda content: content.update(truncation={"max_length": -1})),
        changed("byte", vocabulary(猫=260)),
        changed("bpe", lambda content: content["model"]["merges"].append(["x", "猫"])),
        changed("bpe", lambda content: content["model"]["merges"].append(["x"])),
        learn("word").to_json().replace('"cat":', '"dog":'),
        changed("word", lambda content: content["model"].update(merges=[["cat", "cat"]])),
        changed("word", vocabulary(cat=int("9" * 400))),
        changed("word", lambda content: content["model"]["vocab"].update({"\ud800": 99})),
        changed("word", lambda content: content["model"]["vocab"].update({"": len(learn("word"))})),
        changed("char", lambda content: content["model"]["vocab"].update({"ab": len(learn("char"))})),
        changed("char", lambda content: content["model"].update(byte_fallback=True)),
        changed("bpe", lambda content: content["model"]["merges"].append(["<blank>", "<unk>"])),
        changed("bpe", lambda content: content["model"]["merges"].append(["Ġ", ""])),
        changed("bpe", lambda content: content["model"]["merges"].append(content["model"]["merges"][0])),
        changed("bpe", lambda content: content.update(decoder=None)),
        changed("word", lambda content: content.update(pre_tokenizer=None)),
        changed("word", lambda content: content.update(truncation={"max_length": 10**12})),
        changed("word", lambda content: content.update(added_tokens=[{"id": 0}])),
    ],
)
def test_a_malformed_file_is_a_model_error(text: str) -> None:
    with pytest.raises(ModelError, match=r"^tokenizer\.json: .*; copy it again$"):
        Tokenizer.from_json(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["model"].update(continuing_subword_prefix="#" * 99),
        lambda content: content["model"]["merges"].append(["<blank>", "<unk>"]),
    ],
)
def test_a_file_that_makes_the_library_panic_is_refused_before(change: Any, capfd: Any) -> None:
    with pytest.raises(ModelError):
        Tokenizer.from_json(changed("bpe", change))
    assert capfd.readouterr().err == ""


def test_keys_that_a_later_version_of_the_library_may_write_say_nothing() -> None:
    text = changed("bpe", lambda content: (content.update(new=1), content["model"].update(newer={})))
    assert Tokenizer.from_json(text).decode([4, 5]) == learn("bpe").decode([4, 5])


def test_two_vocabularies_of_byte_pairs_are_learned_side_by_side(monkeypatch):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")
    learners = [vocabulary_learner(TokenizerSettings("bpe", vocabulary_size=300)) for _ in range(2)]

    def teach():
        for batch in range(40):
            for learner in learners:
                learner.add([f"text {batch} of some words"] * 200)
        learned.extend(learner.learned() for learner in learners)

    learned = []
    teaching = Thread(target=teach, daemon=True)
    teaching.start()
    teaching.join(60)
    assert not teaching.is_alive()
    assert learned[0] == learned[1]
