"""Long texts in pieces: the same tokens, for a bounded cost."""

from __future__ import annotations

import random

import pytest

from seqrnn.data.text import pieces as pieces_module
from seqrnn.data.text import tokenizer as tokenizer_module
from seqrnn.data.text import vocabulary as vocabulary_module
from seqrnn.data.text.pieces import PIECE, pieces
from seqrnn.data.text.tokenizer import Tokenizer, TokenizerSettings

FORMS = ("none", "nfc", "nfd", "nfkc", "nfkd")
WORDS = ["abc", "d", "Éé", "e\u0301x", "\u00b4", "ﷺ", "x,y", "12", "'s", "日本", "q" * 20, "\x1c", "\u2003"]
WORDS += ["\u3000", "  ", "\n", "\t"]


@pytest.fixture
def short(monkeypatch):
    """A function that makes pieces short."""

    def shorten():
        for module in (pieces_module, tokenizer_module, vocabulary_module):
            monkeypatch.setattr(module, "PIECE", 97)
        monkeypatch.setattr(pieces_module, "NEAR", 30)

    return shorten


def texts():
    generator = random.Random(1)
    return [" ".join(generator.choice(WORDS) for _ in range(300)) for _ in range(5)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["word", "split-word", "char", "byte", "bpe"])
def test_a_text_in_pieces_has_the_tokens_of_the_whole(kind, form, short) -> None:
    settings = TokenizerSettings(kind, True, unicode_form=form, vocabulary_size=400)
    whole = Tokenizer.learn(texts(), settings)
    cut = Tokenizer(
        TokenizerSettings(kind, True, max_tokens=50, unicode_form=form),
        whole.tokens[4:],
        _merges(whole),
    )
    expected = [(*map(list, (e.ids, whole.split(t))), e.unknown) for t, e in _encoded(whole)]
    limited = [list(e.ids) for _, e in _encoded(cut)]
    short()
    assert [(*map(list, (e.ids, whole.split(t))), e.unknown) for t, e in _encoded(whole)] == expected
    assert [list(e.ids) for _, e in _encoded(cut)] == limited == [ids[:50] for ids, _, _ in expected]
    assert all(encoded.truncated for _, encoded in _encoded(cut))
    assert Tokenizer.learn(texts(), settings).tokens == whole.tokens


def _encoded(tokenizer):
    return list(zip(texts(), tokenizer.encode_batch(texts()), strict=True))


def _merges(tokenizer):
    import json

    return [tuple(pair) for pair in json.loads(tokenizer.to_json())["model"].get("merges", [])]


@pytest.mark.parametrize(
    "text", ["a bc " * 400_000, "x" * 2_000_000, "日" * 2_000_000, "e\u0301" * 1_000_000]
)
@pytest.mark.parametrize("kind", ["word", "char", "byte", "bpe"])
def test_no_more_of_a_long_text_is_encoded_than_can_count(kind, text, monkeypatch) -> None:
    settings = TokenizerSettings(kind, max_tokens=20, unicode_form="nfc")
    tokenizer = Tokenizer.learn(["a bc x 日"], settings)
    given, encode = [], Tokenizer._encode
    monkeypatch.setattr(
        Tokenizer, "_encode", lambda self, texts: given.extend(map(len, texts)) or encode(self, texts)
    )
    encoded = tokenizer.encode_batch(["a", text, "bc"])
    assert sum(given) <= PIECE + 3
    assert encoded[1].truncated == (len(encoded[1].ids) == 20) == (kind != "word" or " " in text)
    unlimited = Tokenizer.learn(["a bc x 日"], TokenizerSettings(kind))
    given.clear()
    assert unlimited.is_longer(text, 10) == (kind != "word" or " " in text)
    assert sum(given) <= PIECE + 3


def test_letters_that_are_written_as_two_characters_are_one_token_up_to_the_limit() -> None:
    tokenizer = Tokenizer.learn(["é"], TokenizerSettings("char", max_tokens=20, unicode_form="nfc"))
    assert tokenizer.encode("e\u0301" * 20).ids.tolist() == tokenizer.encode("é" * 20).ids.tolist()
    assert not tokenizer.encode("e\u0301" * 20).truncated


def test_a_word_without_end_is_one_word() -> None:
    text = "x" * (3 * PIECE) + " y"
    word, rest = pieces(text, whole_words=True)
    assert (set(word), rest) == ({"x"}, " y")
    assert max(map(len, pieces(text, whole_words=False))) <= PIECE
    assert "".join(pieces(text, whole_words=False)) == text
