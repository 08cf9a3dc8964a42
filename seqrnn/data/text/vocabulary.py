"""Which tokens there are: the four specials, and how a vocabulary is learned from texts.

| kind | a token is | unknown |
|---|---|---|
| word | what stands between white space; a newline is a token of its own | rare and new words |
| char | a Unicode character, space and newline included | rare and new characters |
| byte | one of the 256 bytes of UTF-8 | never |
| bpe  | bytes joined by merges, most frequent pair first (Sennrich et al. 2016) | never |
| label | a whole text, without the blanks around it | rare and new labels |

byte and bpe write a byte as a visible character, as the `tokenizers` library does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from seqrnn.config import DataConfig
from seqrnn.data.counts import CharacterCounts, TokenCounts, WordCounts
from seqrnn.data.grouping import batched
from seqrnn.data.normalizing import Form, TextNormalizer, normalizing
from seqrnn.data.text.words import count_whole_texts, count_words

# The library's threads gain little on short texts, and a process that forks after it has used them is
# warned, or hangs.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

SPECIALS = ("<blank>", "<unk>", "<bos>", "<eos>")
BLANK, UNK, BOS, EOS = range(4)

Kind = Literal["word", "char", "byte", "bpe", "label"]
Merges = list[tuple[str, str]]
# What a token of a kind without merges looks like.
PATTERNS: dict[Kind, str] = {"word": r"\n|\S+", "label": r"\S(?:(?m:.*)\S)?"}
COUNT = {"word": count_words, "label": count_whole_texts}
Learned = tuple[list[str], Merges]


@dataclass(frozen=True, slots=True)
class TokenizerSettings:
    """How texts are cut into tokens.

    `min_count` and `vocabulary_size` (specials included) bound what is learned, `max_tokens` the
    length of a text.
    """

    kind: Kind = "word"
    lowercase: bool = False
    min_count: int = 1
    vocabulary_size: int = 50_000
    max_tokens: int | None = None
    unicode_form: Form = "none"

    @classmethod
    def of(cls, data: DataConfig) -> TokenizerSettings:
        """Take the settings out of the configuration's data section."""
        kind: Kind = "word" if data.tokenizer == "auto" else data.tokenizer
        if data.source_kind == "label":
            kind = "label"
        size = data.vocabulary_size
        return cls(kind, data.lowercase, data.min_count, size, data.max_tokens, data.unicode_form)

    @classmethod
    def of_target(cls, data: DataConfig) -> TokenizerSettings:
        """Take those of the other side, which is never changed: it is written as it shall come out."""
        kind = "word" if data.target_tokenizer == "auto" else data.target_tokenizer
        return cls(kind, False, data.min_count, data.vocabulary_size, data.max_tokens)


def learn_vocabulary(texts: Iterable[str], settings: TokenizerSettings) -> Learned:
    """Return the tokens that follow the specials, most frequent first, and the merges (bpe only).

    Tokens of equal count are in the order of their strings, so the same texts give the same ids.
    """
    return _LEARN[settings.kind](texts, settings)


def pipeline(settings: TokenizerSettings, model: models.Model) -> tokenizers.Tokenizer:
    """Put the normalizer, the splitter and the decoder of a kind around a model."""
    tokenizer = tokenizers.Tokenizer(model)
    steps = normalizing(settings.unicode_form, settings.lowercase)
    if steps:
        tokenizer.normalizer = normalizers.Sequence(steps)
    if settings.kind in PATTERNS:
        pattern = tokenizers.Regex(PATTERNS[settings.kind])
        tokenizer.pre_tokenizer = pre_tokenizers.Split(pattern, "removed", invert=True)
    elif settings.kind in ("byte", "bpe"):
        split = settings.kind == "bpe"  # merges stay inside words
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split)
        tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


@cache
def byte_alphabet() -> dict[str, int]:
    """Return the byte behind each of the 256 characters in which byte-level tokens are written.

    A printable Latin-1 byte is written as itself, the n-th of the others as character 256 + n.
    """
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = sorted(set(range(256)) - set(visible))
    return {chr(byte): byte for byte in visible} | {chr(256 + n): byte for n, byte in enumerate(hidden)}


def token_counts(settings: TokenizerSettings, directory: Path | None = None) -> TokenCounts | None:
    """Return what counts the tokens of a kind; None where there is nothing to count, or no way to do so.

    What does not fit in memory is put aside in `directory`.
    """
    if settings.kind == "char":
        return CharacterCounts()
    count = COUNT.get(settings.kind)
    return WordCounts(count, directory) if count else None


def chosen(counts: TokenCounts, settings: TokenizerSettings) -> list[str]:
    """Return the tokens that follow the specials: of those that were counted, the most frequent."""
    # Room for the specials' own names, which are dropped where they occur as words of the text.
    found = counts.most_frequent(settings.vocabulary_size, settings.min_count)
    tokens = [token for token in found if token not in SPECIALS]
    return tokens[: settings.vocabulary_size - len(SPECIALS)]


def _learn_counted(texts: Iterable[str], settings: TokenizerSettings) -> Learned:
    counts = token_counts(settings)
    assert counts is not None
    normalize = TextNormalizer(settings.unicode_form, settings.lowercase)
    for batch in batched(texts, len):
        counts.add(normalize(batch))
        if counts.is_full:
            counts.merge(counts.take())
    return chosen(counts, settings), []


def _learn_bytes(_texts: Iterable[str], _settings: TokenizerSettings) -> Learned:
    return sorted(byte_alphabet(), key=byte_alphabet().__getitem__), []


def _learn_merges(texts: Iterable[str], settings: TokenizerSettings) -> Learned:
    tokenizer = pipeline(settings, models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocabulary_size - len(SPECIALS),
        min_frequency=settings.min_count,
        initial_alphabet=list(byte_alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    # The library gives the merges away in its JSON only.
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return _by_id(tokenizer), [(left, right) for left, right in merges]


def _by_id(tokenizer: tokenizers.Tokenizer) -> list[str]:
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)


_LEARN: dict[Kind, Callable[[Iterable[str], TokenizerSettings], Learned]] = {
    "word": _learn_counted,
    "label": _learn_counted,
    "char": _learn_counted,
    "byte": _learn_bytes,
    "bpe": _learn_merges,
}
