# ruff: noqa: RUF001 (quotation marks and dashes of many scripts)
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from seqrnn.data.text.tokenizer import SPECIALS, UNK, Tokenizer, TokenizerSettings
from seqrnn.data.text.words import GLUE, JOINER, LONGEST_SLICE, PATTERN, PLAIN_ENDS, WordSplitter
from seqrnn.errors import ModelError

SAMPLES = Path(__file__).parents[2] / "sample_data"
# What `\s` is to the tokenizers library.
SPACE = "[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
SPLIT = [
    ("Hi, Jo!", "Hi , Jo !"),
    ('("quoted")', '( " quoted " )'),
    ("it's don't we’ll", "it 's don 't we ’ll"),
    ("l'homme qu'il dell'arte L’eau", "l' homme qu' il dell' arte L’ eau"),
    ("3.14 1,000 10:30 50% $5.99 3km", "3.14 1,000 10:30 50 % $ 5.99 3km"),
    ("the U.S. army, e.g. here.", "the U.S. army , e.g. here ."),
    ("well... what--ever", "well ... what -- ever"),
    ("peut-être x-ray 2020-01-05 -5 a- -b", "peut-être x-ray 2020-01-05 - 5 a - - b"),
    (
        "see http://a.de/x?y=1). me@b.org, or example.com!",
        "see http://a.de/x?y=1 ) . me@b.org , or example.com !",
    ),
    ("fine :-) :) ;-P thanks:) <3 (note: this)", "fine :-) :) ;-P thanks :) <3 ( note : this )"),
    ("#tag @me C#", "#tag @me C #"),
    ("¿Qué? «Bonjour» “hi” – ok…", "¿ Qué ? « Bonjour » “ hi ” – ok …"),
    ("مرحبا، كيف؟ שלום! हिन्दी में।", "مرحبا ، كيف ؟ שלום ! हिन्दी में ।"),
    ("我爱Python。", "我 爱 Python 。"),
    ("👍🏽!! 🇫🇷🇩🇪 👨‍👩‍👧", "👍🏽 ! ! 🇫🇷 🇩🇪 👨‍👩‍👧"),
    ("isn 't n't `` '' :-) -- ...", "isn 't n 't `` '' :-) -- ..."),
    ("snake_case _x_", "snake_case _ x _"),
]
JOINED = [
    ('Hi, "Jo"!', 'Hi ￭, "￭ Jo ￭" ￭!'),
    ("it's l'eau", "it ￭'s l'￭ eau"),
    ("Hi , Jo", "Hi , Jo"),
    ("a/b (c) -d", "a ￭/￭ b (￭ c ￭) -￭ d"),
    ("3.14km 我爱", "3.14 ￭￭ km 我 ￭￭ 爱"),
    ("a￭b ￭ ￭, ￭￭", "a ￭￭ ￭ ￭￭ b ￭ ￭ ￭, ￭ ￭￭ ￭"),
]
WHOLE = ["it's", "l'eau", "3.14", "www.a.de/b", "a@b.org", ":-)", "U.S.", "--", "...", "``", "''", "<unk>"]
texts = st.lists(
    st.sampled_from(
        [
            *WHOLE,
            *"aé9猫かﾊ한ะक\u093f\u0301 \n\t\u00a0\u3000'’\"().,:;-_/@#€$%&<>|+=￭…«»\x00\x1c\u200d\ufe0f👍🇫",
        ]
    )
    | st.characters(exclude_categories=["Cs"]),
    max_size=20,
).map("".join)


def learn(kind: Any, texts: list[str], **settings: Any) -> Tokenizer:
    return Tokenizer.learn(texts, TokenizerSettings(kind=kind, **settings))


def words(tokenizer: Tokenizer, text: str) -> list[str]:
    return [tokenizer.token(token_id) for token_id in tokenizer.encode(text).ids]


def normal(text: str) -> str:
    """Return a text with single spaces, and none around a newline."""
    return "\n".join(" ".join(filter(None, re.split(SPACE, line))) for line in text.split("\n"))


@pytest.mark.parametrize(("text", "expected"), SPLIT)
def test_punctuation_is_set_apart_but_not_in_what_belongs_together(text: str, expected: str) -> None:
    tokenizer = learn("split-word", [text])
    assert words(tokenizer, text) == expected.split()


@pytest.mark.parametrize(("_", "expected"), [row for row in SPLIT if "l'" not in row[0]])
def test_what_is_set_apart_stays_so(_: str, expected: str) -> None:
    assert words(learn("split-word", [expected]), expected) == expected.split()


@pytest.mark.parametrize(("text", "expected"), JOINED)
def test_joiners_are_borne_by_punctuation(text: str, expected: str) -> None:
    assert words(learn("joined-word", [text]), text) == expected.split()


def test_short_cuts_for_letters_find_what_the_expression_finds() -> None:
    letters = [chr(code) for code in range(0x1D00) if chr(code).isalpha()]
    words = ["www", "http", "U", "a", "it's", "ªº", *letters, *(f"a{one}z" for one in letters)]
    chunks = [word + end for word in words for end in ("", *PLAIN_ENDS, "..", "-")]
    by_expression = pre_tokenizers.Split(tokenizers.Regex(PATTERN), "removed", invert=True).pre_tokenize_str
    splitter = WordSplitter([], joined=False)
    for chunk in [*chunks, "a" * (LONGEST_SLICE + 9) + "."]:
        slices = (chunk[at : at + LONGEST_SLICE] for at in range(0, len(chunk), LONGEST_SLICE))
        found = [token for part in slices for token, _ in by_expression(part)]
        assert splitter.split(chunk) == tuple(found)


def test_a_word_is_the_same_with_and_without_punctuation() -> None:
    for kind in ("split-word", "joined-word"):
        tokenizer = learn(kind, ['a mail, a "mail" (mail)'])
        (mail,) = tokenizer.encode("mail").ids
        for text in ("mail,", '"mail"', "(mail)", "a mail, a"):
            assert mail in tokenizer.encode(text).ids


@given(texts)
def test_joined_words_bring_back_any_text_with_single_spaces(text: str) -> None:
    tokenizer = learn("joined-word", [text])
    encoded = tokenizer.encode(text)
    assert encoded.unknown == 0
    assert tokenizer.decode(encoded.ids) == normal(text)
    decoder = tokenizer.decoder()
    assert "".join(map(decoder.feed, encoded.ids)) + decoder.finish() == normal(text)
    assert tokenizer.encode(normal(text)).ids.tolist() == encoded.ids.tolist()


@given(texts)
def test_the_characters_of_joined_words_add_up(text: str) -> None:
    tokenizer = learn("joined-word", [text])
    written = "\n".join(filter(None, normal(text).split("\n")))
    count = tokenizer.character_counts()[tokenizer.encode(written).ids].sum()
    assert count == (len(written) + 1 if written else 0)


@given(texts, st.booleans())
def test_split_words_are_joined_words_without_joiners_and_what_the_library_finds(
    text: str, lowercase: bool
) -> None:
    split, joined = (learn(kind, [text], lowercase=lowercase) for kind in ("split-word", "joined-word"))
    ids = split.encode(text).ids
    bare = [word if word == JOINER else word.strip(JOINER) for word in words(joined, text) if word != GLUE]
    assert words(split, text) == bare
    library = tokenizers.Tokenizer.from_str(split.to_json())
    assert library.encode(text).ids == ids.tolist()


@pytest.mark.parametrize("kind", ["split-word", "joined-word"])
def test_a_saved_tokenizer_of_words_encodes_as_before(kind: str) -> None:
    tokenizer = learn(kind, ["Hi, it's L'Eau (3.14)!"], lowercase=True, unicode_form="nfc", max_tokens=5)
    again = Tokenizer.from_json(tokenizer.to_json())
    assert again.to_json() == tokenizer.to_json()
    assert again.kind == kind
    for text in ("hi , IT'S l'eau", "Hi! it's new (so), e\u0301"):
        first, second = tokenizer.encode(text), again.encode(text)
        assert first.ids.tolist() == second.ids.tolist()
        assert (first.truncated, first.unknown) == (second.truncated, second.unknown)
    assert tokenizer.encode("hi it's").truncated is False
    assert tokenizer.encode("hi, hi, hi, hi").truncated is True


def test_the_library_refuses_what_it_cannot_read_alike() -> None:
    with pytest.raises(Exception, match="PreTokenizer"):
        tokenizers.Tokenizer.from_str(learn("joined-word", ["a"]).to_json())


def test_raw_mails_are_the_same_tokens_as_mails_whose_punctuation_is_apart() -> None:
    mails = [line.partition("\t")[0] for line in (SAMPLES / "mails.test.tsv").read_text().splitlines()]
    separated = [" ".join(re.findall(r"'s|\w+|[^\w\s]", mail)) for mail in mails]
    assert separated != mails
    raw, given = learn("split-word", mails), learn("word", separated)
    assert raw.tokens == given.tokens
    for mail, words_apart in zip(mails, separated, strict=True):
        assert raw.encode(mail).ids.tolist() == given.encode(words_apart).ids.tolist()


@pytest.mark.parametrize("kind", ["joined-word", "bpe"])
def test_a_log_comes_back_as_it_was(kind: str) -> None:
    lines = (SAMPLES / "lighthouse.txt").read_text().splitlines()[:500]
    tokenizer = learn(kind, lines, vocabulary_size=5000)
    encoded = tokenizer.encode_batch(lines)
    assert [tokenizer.decode(line.ids) for line in encoded] == lines


def test_words_that_were_not_learned_are_unknown() -> None:
    encoded = learn("joined-word", ["a, b"]).encode("a, c; b")
    assert encoded.ids.tolist()[2:4] == [UNK, UNK]
    assert encoded.unknown == 2


def test_no_word_is_a_special() -> None:
    tokenizer = learn("split-word", [" ".join(SPECIALS)])
    assert words(tokenizer, "<unk>") == ["<", "unk", ">"]


@pytest.mark.parametrize("text", ["a." * 5000, "x" * 50_000, "http://" + "!" * 50_000, "@-." * 9000])
def test_long_texts_without_spaces_are_split_in_linear_time(text: str) -> None:
    tokenizer = learn("joined-word", [text])
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


@pytest.mark.parametrize("kind", ["bpe", "gpt2-bpe"])
def test_both_kinds_of_byte_pairs_are_told_apart_in_their_files(kind: Any) -> None:
    tokenizer = learn(kind, ["हिन्दी में l'eau"] * 5, vocabulary_size=400)
    again = Tokenizer.from_json(tokenizer.to_json())
    assert again.kind == kind
    for text in ("हिन्दी, l'eau d'un", "a  b\n\n c\u0301 "):
        assert again.encode(text).ids.tolist() == tokenizer.encode(text).ids.tolist()
        assert again.decode(again.encode(text).ids) == text


def test_byte_pairs_do_not_take_words_of_any_script_apart() -> None:
    texts = ["हिन्दी में", "l'eau", "tie\u0302ng"]
    tokenizer = learn("bpe", texts * 50, vocabulary_size=400)
    assert [len(tokenizer.encode(text).ids) for text in texts] == [2, 2, 1]


@pytest.mark.parametrize("change", [{"type": "Other"}, {"pattern": {"Regex": PATTERN + "|x"}}])
@pytest.mark.parametrize("kind", ["split-word", "joined-word"])
def test_words_of_another_version_are_refused(kind: str, change: dict[str, Any]) -> None:
    content = json.loads(learn(kind, ["a"]).to_json())
    content["pre_tokenizer"].update(change)
    with pytest.raises(ModelError, match=r"unknown kind|none of the values that it can have"):
        Tokenizer.from_json(json.dumps(content))
