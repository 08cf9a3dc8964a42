# ruff: noqa: RUF001 (marks of many scripts)
"""Texts as one array of bytes are what they are one by one."""

from __future__ import annotations

import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as settings_of_test
from hypothesis import strategies as st

from seqrnn.data.text import pieces, tokenizer, vocabulary
from seqrnn.data.text.joined_texts import JoinedTexts
from seqrnn.data.text.learners import countable, most_frequent, token_counts
from seqrnn.data.text.normalizing import FORMS
from seqrnn.data.text.tokenizer import Tokenizer, TokenizerSettings
from seqrnn.data.text.words import chunks_of

OF_EACH_CATEGORY = {unicodedata.category(chr(code)): chr(code) for code in range(sys.maxunicode, 0, -1)}
ODD = [
    *OF_EACH_CATEGORY.values(),
    *"\x00\x1c\x1f\x85\xa0\u1680\u2003\u2028\u205f\u3000\v\f\r\t \x7f",
    "猫",
    "🚲",
    "´",
    "Σ",
]
ODD += ["e\u0301", "word ", "two words", "a.b", "  ", "\ufeff"]
anything = st.lists(st.sampled_from(ODD) | st.characters(exclude_characters="\n"), max_size=12).map("".join)
without_surrogates = anything.filter(str.isprintable) | anything.map(
    lambda text: text.encode("utf-8", "ignore").decode()
)
lines = st.lists(without_surrogates, max_size=8)


@given(texts=st.lists(anything | anything.map(lambda text: f"{text}\n\n"), max_size=8))
def test_texts_that_hold_anything_are_joined(texts) -> None:
    joined = JoinedTexts.of(texts)
    assert joined.texts() == texts
    assert joined.bare() == "".join(texts).encode("utf-8", "surrogatepass")
    same(joined, texts)


@given(texts=lines, whole=st.booleans(), bits=st.integers(0, 255))
def test_lines_are_texts(texts, whole, bits) -> None:
    joined = JoinedTexts("".join(f"{text}\n" for text in texts).encode(), whole=whole)
    expected = [f"{text}\n" if whole else text for text in texts]
    same(joined, expected)
    chosen = np.array([bool(bits >> number & 1) for number in range(len(texts))], dtype=bool)
    same(joined.only(chosen), [text for text, one in zip(expected, chosen, strict=True) if one])


def same(joined: JoinedTexts, texts: list[str]) -> None:
    assert len(joined) == len(texts)
    assert joined.texts() == texts
    assert joined.lengths.tolist() == [len(text) for text in texts]
    assert joined.sizes.tolist() == [len(text.encode("utf-8", "surrogatepass")) for text in texts]
    assert joined.blank().tolist() == [not text.strip() for text in texts]
    assert "".join(map(chr, joined.code_points())) == "".join(texts)
    rows = [chunks_of(text) for text in texts]
    chunks = joined.chunks()
    spelled = [chunks.content[start:end] for start, end in zip(chunks.starts, chunks.ends, strict=True)]
    assert spelled == [chunk.encode("utf-8", "surrogatepass") for row in rows for chunk in row]
    assert np.diff(chunks.last, prepend=0).tolist() == [len(row) for row in rows]


settings = st.builds(
    TokenizerSettings,
    kind=st.sampled_from(["word", "split-word", "joined-word", "char", "byte", "label", "bpe"]),
    lowercase=st.booleans(),
    max_tokens=st.none() | st.integers(1, 9),
    unicode_form=st.sampled_from(["none", *FORMS]),
)


@settings_of_test(max_examples=40, deadline=None)  # a tokenizer's expressions take a while to compile
@given(texts=lines, whole=st.booleans(), settings=settings)
def test_lines_are_counted_and_encoded_as_texts(texts, whole, settings) -> None:
    """Also where they are longer than a tokenizer's piece, which is 16 characters here."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (pieces, vocabulary, tokenizer):
            patch.setattr(module, "PIECE", 16)
        patch.setattr(pieces, "NEAR", 4)
        joined = JoinedTexts("".join(f"{text}\n" for text in texts).encode(), whole=whole)
        learned = Tokenizer.learn(joined.texts(), settings)
        if (counts := token_counts(settings)) is not None:
            counts.add(countable(settings)(joined))
            assert tuple(most_frequent(counts, settings)) == learned.tokens[4:]
        found, expected = learned.encode_joined(joined), learned.encode_texts(joined.texts())
        for one, other in zip(found, expected, strict=True):
            assert one.tolist() == other.tolist()
