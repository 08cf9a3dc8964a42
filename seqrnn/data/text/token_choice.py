"""Choosing what a token of some texts is, side by side with the evidence for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from seqrnn.data.fields.field import Use
from seqrnn.data.text.given_words import words_given
from seqrnn.data.text.scripts import UNSPACED
from seqrnn.data.text.vocabulary import Kind, TokenizerSettings, word_splitter
from seqrnn.data.text.words import chunks_of

HELD_OUT = 10  # of so many rows one, to count how many of its words the others do not have
LEAST_ROWS = 200  # that say anything about unknown words
MOST_UNKNOWN = 0.2  # share of held-out words that a model may read as <unk>
CLOSED_TYPES, CLOSED_UNKNOWN = 1000, 0.005  # different words, unknown share: phonemes, captions of toys
UNSPACED_LENGTH = 6  # characters that mean there are no spaces: Chinese words, cut apart, have two
LONGEST_SPELLED = 60  # characters of a text, such as a date, that is read by the character to be written so

BPE_SIZE, BPE_CHARACTERS = 2500, 2_000_000  # a vocabulary for so much text, growing with its square root
SMALLEST_BPE, LARGEST_BPE = 500, 32_000

NAMES = {"word": "words", "char": "characters", "byte": "bytes", "bpe": "byte pairs"}

_letter = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class TokenizerRequest:
    """What is known of a side before its texts are looked at: what the user or the task says of it."""

    tokenizer: str = "auto"
    pretokenized: str = "auto"
    vocabulary_size: int | None = None  # None: to be chosen where it can be
    use: Use = "read"
    spelled: bool = False  # whether what is written for such texts is chosen to be written in characters
    lowercase: bool = False
    min_count: int = 1


@dataclass(frozen=True)
class TokenChoice:
    """What a token of one side is; `vocabulary_size` is None where the data do not decide it."""

    tokenizer: str
    pretokenized: str
    vocabulary_size: int | None
    evidence: str
    many_words: bool = False  # as a language has them, which symbols and toys have not


def choose_tokens(
    texts: Sequence[str], asked: TokenizerRequest, growth: float = 1.0, lists: bool = False
) -> TokenChoice:
    """Choose what a token is, from texts of which there are `growth` times as many.

    `lists` says that the texts were lists of tokens.
    """
    texts = [text for text in texts if text.strip()]
    pretokenized, marks = asked.pretokenized, ""
    if pretokenized == "auto":
        pretokenized, marks = ("yes", "given as lists") if lists else words_given(texts, asked.use)
    tokenizer, reason = asked.tokenizer, ""
    if tokenizer == "auto":
        tokenizer, reason = _tokenizer(texts, asked, pretokenized)
    size, about = asked.vocabulary_size, ""
    characters = sum(map(len, texts)) * growth
    if tokenizer == "bpe" and size is None:
        size = bpe_size(characters)
        about = f"vocabulary of {size:,} for {_amount(characters)}"
    if tokenizer != "word":
        marks = ""
    name = NAMES[tokenizer]
    if tokenizer == "word":
        name = f"words {'as they are given' if pretokenized == 'yes' else 'and punctuation'}"
    else:
        marks = ""
    told = ", ".join(filter(None, (about, reason, marks)))
    many = (
        tokenizer in {"word", "bpe"} and len(set(chain.from_iterable(map(str.split, texts)))) > CLOSED_TYPES
    )
    return TokenChoice(tokenizer, pretokenized, size, f"{name} ({told})" if told else name, many)


def bpe_size(characters: float) -> int:
    """Return how many byte pairs suit a text of that length: a hundred, rounded, of whatever it may be."""
    size: float = BPE_SIZE * (characters / BPE_CHARACTERS) ** 0.5
    return round(min(max(size, SMALLEST_BPE), LARGEST_BPE) / 100) * 100


def _tokenizer(texts: list[str], asked: TokenizerRequest, pretokenized: str) -> tuple[str, str]:
    """Choose the kind of token, and say why."""
    if sum(len(text.split()) > 1 for text in texts) < len(texts) / 2:
        unspaced = _unspaced_length(texts) >= UNSPACED_LENGTH
        return "char", "written without spaces" if unspaced else "most texts are single words"
    if (length := _unspaced_length(texts)) >= UNSPACED_LENGTH:
        return "char", f"written without spaces, {length:.0f} letters in a row"
    if asked.spelled and sum(map(len, texts)) <= LONGEST_SPELLED * len(texts):
        return "char", "as short as what is written in characters"
    types, unknown = _unknown_words(texts, asked, pretokenized)
    share = f"of held-out words {unknown:.1%} would be unknown"
    if asked.use != "read":
        if types <= CLOSED_TYPES and unknown <= CLOSED_UNKNOWN:
            return "word", f"{types:,} different ones; {share}"
        return "bpe", share
    if len(texts) < LEAST_ROWS:
        return "word", f"{len(texts):,} rows are too few to learn others from"
    return ("bpe" if unknown > MOST_UNKNOWN else "word"), share


def _unknown_words(texts: list[str], asked: TokenizerRequest, pretokenized: str) -> tuple[int, float]:
    """Return how many different words there are, and the share of every tenth text's that the others lack."""
    words = _words_of(asked, pretokenized)
    learned = Counter(chain.from_iterable(map(words, _kept(texts))))
    held_out = [word for text in texts[HELD_OUT - 1 :: HELD_OUT] for word in words(text)]
    unknown = sum(learned[word] < asked.min_count for word in held_out)
    return len(learned), unknown / max(len(held_out), 1)


def _kept(texts: list[str]) -> Iterable[str]:
    return (text for number, text in enumerate(texts, 1) if number % HELD_OUT)


def _words_of(asked: TokenizerRequest, pretokenized: str) -> Callable[[str], list[str]]:
    """Return what cuts a text into the words that a model of words would have."""
    if pretokenized == "yes":
        return (lambda text: text.lower().split()) if asked.lowercase else str.split
    kind: Kind = "joined-word" if asked.use == "written" else "split-word"
    split = word_splitter(TokenizerSettings(kind, asked.lowercase)).split
    known: dict[str, tuple[str, ...]] = {}

    def words(text: str) -> list[str]:
        chunks = chunks_of(text)
        known.update((chunk, split(chunk)) for chunk in set(chunks).difference(known))
        return [word for chunk in chunks for word in known[chunk]]

    return words


def _unspaced_length(texts: list[str]) -> float:
    """Return how many letters follow one another in scripts without spaces; 0 if most letters are others."""
    chunks = [chunk for text in texts for chunk in text.split()]
    runs = [len(UNSPACED.findall(chunk)) for chunk in chunks]
    letters = sum(len(_letter.findall(chunk)) for chunk in chunks)
    unspaced = sum(runs)
    return unspaced / sum(map(bool, runs)) if unspaced > letters / 2 else 0.0


def _amount(characters: float) -> str:
    if characters < 100_000:
        return f"{characters:,.0f} characters"
    return f"{characters / 1e6:,.1f} million characters"
