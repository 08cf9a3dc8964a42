"""Which tokens there are: the four specials, and how a vocabulary is learned from texts.

| kind | a token is | unknown |
|---|---|---|
| word | what is between white space; a newline is a token of its own | rare and new words |
| split-word | a word of raw text, punctuation apart (see `words.py`) | rare and new words |
| joined-word | the same with joiners, from which the text comes back | rare and new words |
| char | a Unicode character, space and newline included | rare and new characters |
| byte | one of the 256 bytes of UTF-8 | never |
| bpe  | bytes joined by merges, most frequent pair first (Sennrich et al. 2016) | never |
| gpt2-bpe | the same inside the words of GPT-2's pattern, as runs of former versions have it | never |
| label | a whole text, without the blanks around it | rare and new labels |

byte and bpe write a byte as a visible character, as the `tokenizers` library does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Literal, cast

import tokenizers
from msgspec import Struct
from msgspec.structs import replace
from tokenizers import decoders, models, normalizers, pre_tokenizers

from seqrnn.config import DataConfig
from seqrnn.data.text.joined_texts import JoinedTexts
from seqrnn.data.text.normalizing import Form, TextNormalizer, normalizing
from seqrnn.data.text.pieces import PIECE, pieces
from seqrnn.data.text.words import CLITIC, ELIDED, PATTERN, WordSplitter

SPECIALS = ("<blank>", "<unk>", "<bos>", "<eos>")
BLANK, UNK, BOS, EOS = range(4)

Kind = Literal["word", "split-word", "joined-word", "char", "byte", "bpe", "gpt2-bpe", "label"]
Merges = list[tuple[str, str]]

LARGEST_GROWTH: dict[Form, int] = {"none": 1, "nfc": 3, "nfd": 4, "nfkc": 18, "nfkd": 18}
"""Characters that one character becomes, at most (Unicode Standard Annex 15, section 14)."""
MOST_AT_ONCE = 16 * PIECE  # bytes of a text, so that what is made of it fits in memory
MOST_COMPOSED = 4  # characters that a normal form makes one of: a letter and three marks

# What a token of a kind without merges looks like.
PATTERNS: dict[Kind, str] = {
    "word": r"\n|\S+",
    "split-word": PATTERN,
    "joined-word": PATTERN,
    "label": r"\S(?:(?m:.*)\S)?",
}
# What merges of bytes stay inside: words with the space before them, numbers, other characters.
BPE_PATTERN = "|".join(
    [
        CLITIC,
        f" ?{ELIDED}",
        r" ?[\p{L}\p{M}\x{200C}\x{200D}]+",
        r" ?\p{N}+",
        r" ?[^\s\p{L}\p{M}\p{N}]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
SPLIT: frozenset[Kind] = frozenset({"split-word", "joined-word"})  # kinds whose tokens are parts of chunks
BYTES: frozenset[Kind] = frozenset({"byte", "bpe", "gpt2-bpe"})  # kinds whose tokens are made of bytes
Learned = tuple[list[str], Merges]


class TokenizerSettings(Struct, frozen=True):
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
        kind = _kind(data.tokenizer, data.pretokenized, "split-word")
        if data.source_kind == "label":
            kind = "label"
        size = data.vocabulary_size
        return cls(kind, data.lowercase, data.min_count, size, data.max_tokens, data.unicode_form)

    @classmethod
    def of_target(cls, data: DataConfig) -> TokenizerSettings:
        """Take those of the other side, which is never changed: it is written as it shall come out."""
        kind = _kind(data.target_tokenizer, data.target_pretokenized, "joined-word")
        size = data.target_vocabulary_size or data.vocabulary_size
        return cls(kind, False, data.min_count, size, data.max_tokens)

    def written(self) -> TokenizerSettings:
        """Return the settings for a text that is read and written: its spaces must come back."""
        return replace(self, kind="joined-word") if self.kind == "split-word" else self


def _kind(tokenizer: str, pretokenized: str, of_raw_text: Kind) -> Kind:
    """Return the kind of token; where it was never decided whether words are given, an older run says so."""
    match tokenizer, pretokenized:
        case (("auto" | "word"), "no"):
            return of_raw_text
        case "auto", _:
            return "word"
        case "bpe", "auto":
            return "gpt2-bpe"
    return cast(Kind, tokenizer)


def pieces_of(text: str, kind: Kind) -> Iterable[str]:
    """Cut a long text into pieces that give its tokens one after the other; a label by its beginning."""
    return (text.strip()[:PIECE],) if kind == "label" else pieces(text, whole_words=kind == "word")


def in_pieces(texts: Sequence[str], kind: Kind) -> Sequence[str]:
    """Return texts that give the same tokens one after the other, none of them long; see `pieces_of`."""
    if max(map(len, texts), default=0) <= PIECE:
        return texts
    return [piece for text in texts for piece in pieces_of(text, kind)]


def shortened(texts: JoinedTexts, settings: TokenizerSettings) -> JoinedTexts:
    """Return texts that give the same tokens one after the other, none of them too long to be cut at once."""
    if can_be_whole(texts, settings):
        return texts
    return JoinedTexts.of(in_pieces(texts.texts(), settings.kind))


def can_be_whole(texts: JoinedTexts, settings: TokenizerSettings) -> bool:
    """Whether texts may be cut into tokens at once: they give the tokens that their pieces give.

    Of a kind without merges, characters and bytes always do, unless normalising them looks at what is
    around them; words do where there is a blank in each piece.
    """
    longest = int(texts.sizes.max(initial=0))
    if longest <= PIECE:
        return True
    if longest > MOST_AT_ONCE:
        return False
    if settings.kind in {"char", "byte"}:
        return settings.unicode_form == "none"
    return settings.kind in {"word", *SPLIT} and texts.longest_run() < PIECE // 4


def pipeline(settings: TokenizerSettings, model: models.Model) -> tokenizers.Tokenizer:
    """Put the normalizer, the splitter and the decoder of a kind around a model."""
    tokenizer = tokenizers.Tokenizer(model)
    steps = normalizing(settings.unicode_form, settings.lowercase)
    if steps:
        tokenizer.normalizer = normalizers.Sequence(steps)
    if settings.kind in PATTERNS:
        pattern = tokenizers.Regex(PATTERNS[settings.kind])
        tokenizer.pre_tokenizer = pre_tokenizers.Split(pattern, "removed", invert=True)
    elif settings.kind in BYTES:
        split = settings.kind == "gpt2-bpe"
        bytes_of: Any = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split)
        if settings.kind == "bpe":
            words = pre_tokenizers.Split(tokenizers.Regex(BPE_PATTERN), "isolated")
            bytes_of = pre_tokenizers.Sequence([words, bytes_of])
        tokenizer.pre_tokenizer = bytes_of
        tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def normalizer(settings: TokenizerSettings) -> Callable[[str], str]:
    """Return what brings a text to the form in which it is cut."""
    steps = normalizing(settings.unicode_form, settings.lowercase)
    return normalizers.Sequence(steps).normalize_str if steps else str


def text_normalizer(settings: TokenizerSettings) -> TextNormalizer:
    """Return what brings many texts to that form; those of raw words stay: their chunks are brought to it."""
    if settings.kind in SPLIT:
        return TextNormalizer("none", False)
    return TextNormalizer(settings.unicode_form, settings.lowercase)


def word_splitter(settings: TokenizerSettings) -> WordSplitter:
    """Make what cuts raw text into words."""
    steps = normalizing(settings.unicode_form, settings.lowercase)
    return WordSplitter(steps, settings.kind == "joined-word")


def shrinkage(settings: TokenizerSettings) -> int:
    """Return how many characters of a text may become one, at most, before it is cut."""
    return MOST_COMPOSED if settings.unicode_form in {"nfc", "nfkc"} else 1


def growth(settings: TokenizerSettings) -> int:
    """Return how many tokens one character of a text may become, at most."""
    characters = LARGEST_GROWTH[settings.unicode_form] * (2 if settings.lowercase else 1)
    return characters * (4 if settings.kind in BYTES else 1)


@cache
def byte_alphabet() -> dict[str, int]:
    """Return the byte of each of the 256 characters in which byte-level tokens are written.

    A printable Latin-1 byte is written as itself, the n-th of the others as character 256 + n.
    """
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = sorted(set(range(256)) - set(visible))
    return {chr(byte): byte for byte in visible} | {chr(256 + n): byte for n, byte in enumerate(hidden)}
