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

import os
from dataclasses import dataclass
from functools import cache
from typing import Literal

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers

from seqrnn.config import DataConfig
from seqrnn.data.normalizing import Form, normalizing

# The library's threads gain little on short texts, and a process that forks after it has used them is
# warned, or hangs.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

SPECIALS = ("<blank>", "<unk>", "<bos>", "<eos>")
BLANK, UNK, BOS, EOS = range(4)

Kind = Literal["word", "char", "byte", "bpe", "label"]
Merges = list[tuple[str, str]]
# What a token of a kind without merges looks like.
PATTERNS: dict[Kind, str] = {"word": r"\n|\S+", "label": r"\S(?:(?m:.*)\S)?"}
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
