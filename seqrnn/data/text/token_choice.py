"""Choosing what a token is from the first rows of the data, side by side with the evidence for it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

from seqrnn.config import Config
from seqrnn.data.fields.field import Side, Use
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.formats.folder_listing import files_of
from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.lines import GZIP_MAGIC
from seqrnn.data.record import Record
from seqrnn.data.source import Source
from seqrnn.data.text.tokens import join_tokens
from seqrnn.data.text.vocabulary import Kind, TokenizerSettings, word_splitter
from seqrnn.data.text.words import chunks_of
from seqrnn.errors import DataError

SAMPLE_ROWS = 20_000
SAMPLE_CHARACTERS = 4 << 20  # of sources and targets together
HELD_OUT = 10  # of so many rows one, to count how many of its words the others do not have
LEAST_ROWS = 200  # that say anything about unknown words
MOST_UNKNOWN = 0.2  # share of held-out words that a model may read as <unk>
CLOSED_TYPES, CLOSED_UNKNOWN = 1000, 0.005  # different words, unknown share: phonemes, captions of toys
MOST_GLUED = 0.2  # share of the marks that stick to words in a text whose words are given
UNSPACED_LENGTH = 6  # characters that mean there are no spaces: Chinese words, cut apart, have two
LONGEST_SPELLED = 60  # characters of a text, such as a date, that is read by the character to be written so
SYMBOL_LENGTH = 2  # characters of most tokens that are symbols, such as phonemes

BPE_SIZE, BPE_CHARACTERS = 2500, 2_000_000  # a vocabulary for so much text, growing with its square root
SMALLEST_BPE, LARGEST_BPE = 500, 32_000

NAMES = {"word": "words", "char": "characters", "byte": "bytes", "bpe": "byte pairs"}

_unspaced = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)
_letter = re.compile(r"[^\W\d_]")
# Full stops and commas, of which every prose has some, and other marks, which French sets apart.
_stops = ".,\u060c\u06d4\u0964\u3001\u3002\uff0c"
_others = '!?;:()"\u061f\u061b\u00ab\u00bb\u201c\u201d'


@dataclass(frozen=True)
class Asked:
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


@dataclass(frozen=True)
class Sample:
    """The first rows of the data, and how many times as much text there is."""

    records: list[Record] = field(default_factory=list)
    growth: float = 1.0

    @property
    def texts(self) -> dict[Side, list[str]]:
        """What is read, and the first right answer of each row that has one."""
        return {
            "source": [record.source for record in self.records],
            "target": [record.targets[0] for record in self.records if record.targets],
        }

    @property
    def has_token_lists(self) -> bool:
        """Whether the sources are lists of tokens, as JSON can hold them."""
        return bool(self.records) and all(map(_is_token_list, islice(self.records, HELD_OUT)))


@dataclass(frozen=True)
class Choices:
    """What was chosen for all sides: the settings, a line for the user, and whether sentences are written."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    told: str = ""
    writes_sentences: bool = False


def choose_for(config: Config, given: Collection[str], uses: Mapping[Side, Use], source: Source) -> Choices:
    """Choose what a token is on each side that a task has a use for, where the user has not `given` it."""
    sides = {side: _asked(config, given, side, use) for side, use in uses.items()}
    if not kind_named(config.data.source_kind).has_tokenizer:
        sides.pop("source", None)
    if not sides:
        return Choices()
    sample = take_sample(replace(source, format=config.data.format, kind=config.data.source_kind))
    settings: dict[str, Any] = {}
    told: list[str] = []
    writes_sentences = False
    for side in sorted(sides, reverse=True):  # the target first
        asked = replace(sides[side], spelled=settings.get("data.target_tokenizer") == "char")
        lists = side == "source" and sample.has_token_lists
        chosen = choose_tokens(sample.texts[side], asked, sample.growth, lists)
        prefix = "data." if side == "source" else "data.target_"
        settings |= {f"{prefix}tokenizer": chosen.tokenizer, f"{prefix}pretokenized": chosen.pretokenized}
        if chosen.vocabulary_size != asked.vocabulary_size:
            settings[f"{prefix}vocabulary_size"] = chosen.vocabulary_size
        told.insert(0, f"{side} {chosen.evidence}" if len(sides) > 1 else chosen.evidence)
        writes_sentences |= asked.use == "written" and chosen.many_words
    return Choices(settings, f"tokens: {'; '.join(told)}", writes_sentences)


def _asked(config: Config, given: Collection[str], side: Side, use: Use) -> Asked:
    data = config.data
    size = data.vocabulary_size if "data.vocabulary_size" in given else None
    if side == "target":
        size = data.target_vocabulary_size or size
        return Asked(data.target_tokenizer, data.target_pretokenized, size, use, min_count=data.min_count)
    named_by_vectors = data.tokenizer == "auto" and config.model.embeddings is not None
    tokenizer = "word" if named_by_vectors else data.tokenizer
    return Asked(
        tokenizer,
        data.pretokenized,
        size,
        use,
        lowercase=data.lowercase,
        min_count=data.min_count,
    )


def take_sample(source: Source) -> Sample:
    """Read the first rows of files that can be read again; a row that is malformed ends them."""
    records: list[Record] = []
    characters = 0
    try:
        for record in read_records(source):
            records.append(record)
            characters += len(record.source) + sum(map(len, record.targets[:1]))
            if len(records) >= SAMPLE_ROWS or characters >= SAMPLE_CHARACTERS:
                return Sample(records, max(_size_of(source) / max(_bytes_of(records), 1), 1.0))
    except DataError:
        pass  # whoever reads all rows will say so
    return Sample(records)


def choose_tokens(
    texts: Sequence[str], asked: Asked, growth: float = 1.0, lists: bool = False
) -> TokenChoice:
    """Choose what a token is, from texts of which there are `growth` times as many.

    `lists` says that the texts were lists of tokens.
    """
    texts = [text for text in texts if text.strip()]
    pretokenized, marks = asked.pretokenized, ""
    if pretokenized == "auto":
        pretokenized, marks = ("yes", "given as lists") if lists else _pretokenized(texts, asked.use)
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


def _tokenizer(texts: list[str], asked: Asked, pretokenized: str) -> tuple[str, str]:
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


def _unknown_words(texts: list[str], asked: Asked, pretokenized: str) -> tuple[int, float]:
    """Return how many different words there are, and the share of every tenth text's that the others lack."""
    words = _words_of(asked, pretokenized)
    learned = Counter(chain.from_iterable(map(words, _kept(texts))))
    held_out = [word for text in texts[HELD_OUT - 1 :: HELD_OUT] for word in words(text)]
    unknown = sum(learned[word] < asked.min_count for word in held_out)
    return len(learned), unknown / max(len(held_out), 1)


def _kept(texts: list[str]) -> Iterable[str]:
    return (text for number, text in enumerate(texts, 1) if number % HELD_OUT)


def _words_of(asked: Asked, pretokenized: str) -> Callable[[str], list[str]]:
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


def _pretokenized(texts: list[str], use: Use) -> tuple[str, str]:
    """Tell from the punctuation whether words are given, apart by blanks.

    Where there is none, single symbols are tokens that are given; so is what is written, whose spaces
    come back either way.
    """
    chunks = Counter(chain.from_iterable(map(str.split, texts)))
    for marks in (_stops, _others):
        apart, glued = _marks(chunks, marks)
        if apart + glued:
            given = glued <= MOST_GLUED * (apart + glued)
            return "yes" if given else "no", f"{apart:,} of {apart + glued:,} marks are apart"
    if use == "written":
        return "yes", ""
    symbols = sum(count for chunk, count in chunks.items() if len(chunk) <= SYMBOL_LENGTH)
    return ("yes" if symbols > chunks.total() / 2 else "no"), ""


def _marks(chunks: Counter[str], marks: str) -> tuple[int, int]:
    """Count the marks that are tokens of their own, and those at the end of a word, but for abbreviations."""
    apart = glued = 0
    for chunk, count in chunks.items():
        if chunk[-1] not in marks and chunk[0] not in marks:
            continue
        word = chunk.strip(marks)
        if not word:
            apart += count
        elif not _abbreviated(word):
            glued += count
    return apart, glued


def _abbreviated(word: str) -> bool:
    """Whether a word may end with a full stop by itself, as Mr. and e.g. do."""
    return (len(word) <= 2 and word.isascii()) or any(stop in word for stop in _stops)


def _unspaced_length(texts: list[str]) -> float:
    """Return how many letters follow one another in scripts without spaces; 0 if most letters are others."""
    chunks = [chunk for text in texts for chunk in text.split()]
    runs = [len(_unspaced.findall(chunk)) for chunk in chunks]
    letters = sum(len(_letter.findall(chunk)) for chunk in chunks)
    unspaced = sum(runs)
    return unspaced / sum(map(bool, runs)) if unspaced > letters / 2 else 0.0


def _is_token_list(record: Record) -> bool:
    return any(
        isinstance(value, list)
        and all(isinstance(item, str) for item in value)
        and join_tokens(value) == record.source
        for value in record.fields.values()
    )


def _size_of(source: Source) -> int:
    """Return the bytes of the files, unpacked."""
    paths = (*source.paths, source.target_path)
    return sum(_unpacked_size(file) for path in filter(None, paths) for file in files_of(path, source.kind))


def _unpacked_size(path: str) -> int:
    with open(path, "rb") as file:
        if file.read(2) != GZIP_MAGIC:
            return os.path.getsize(path)
        file.seek(-4, os.SEEK_END)  # which tell it, but for larger files
        return int.from_bytes(file.read(4), "little")


def _bytes_of(records: list[Record]) -> int:
    """Return about how many bytes of the files the records are made of."""
    return sum(len(text.encode()) + 1 for record in records for text in (record.source, *record.targets))


def _amount(characters: float) -> str:
    if characters < 100_000:
        return f"{characters:,.0f} characters"
    return f"{characters / 1e6:,.1f} million characters"
