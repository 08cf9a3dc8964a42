"""What a tokenizer.json must be, before the `tokenizers` library sees anything of it.

The library trusts what it is given: a merge of tokens that do not fit panics, which prints a traceback
past Python. So only what seqrnn writes is read, and a tokenizer is built anew from its parts.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, NonNegativeInt, field_validator

from seqrnn.data.text.normalizing import FORMS, Form
from seqrnn.data.text.vocabulary import (
    BPE_PATTERN,
    BYTES,
    PATTERNS,
    SPECIALS,
    Kind,
    Merges,
    TokenizerSettings,
    byte_alphabet,
)
from seqrnn.data.text.words import PATTERN
from seqrnn.strict_json import Strict

LONGEST = 2**31 - 1  # tokens of a text
LOWERCASE = "Lowercase"
JOINED = "JoinedWords"  # the splitter of joined words by its name in tokenizer.json: none of the library's
_Pair = Annotated[list[str], Field(min_length=2, max_length=2)]


class _Part(Strict):
    """A part of the file; other keys, which another version of the library may write, are left out."""

    model_config = ConfigDict(extra="ignore")


class _Truncation(_Part):
    direction: Literal["Right"]
    max_length: Annotated[int, Field(ge=1, le=LONGEST)]
    strategy: Literal["LongestFirst"]
    stride: Literal[0]


class _Step(_Part):
    type: Literal["NFC", "NFD", "NFKC", "NFKD", "Lowercase"]


class _Normalizer(_Part):
    type: Literal["Sequence"]
    normalizers: Annotated[list[_Step], Field(min_length=1, max_length=2)]


class _Pattern(_Part):
    Regex: str


class _Split(_Part):
    type: Literal["Split"]
    pattern: _Pattern
    behavior: Literal["Removed"]
    invert: Literal[True]


class _ByteLevel(_Part):
    type: Literal["ByteLevel"]
    add_prefix_space: bool
    use_regex: bool


class _JoinedWords(_Part):
    type: Literal["JoinedWords"]
    pattern: _Pattern


class _Isolated(_Part):
    type: Literal["Split"]
    pattern: _Pattern
    behavior: Literal["Isolated"]
    invert: Literal[False]


class _Sequence(_Part):
    """Words, then the bytes of each."""

    type: Literal["Sequence"]
    pretokenizers: tuple[_Isolated, _ByteLevel]

    @field_validator("pretokenizers", mode="before")
    @classmethod
    def _pair(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class _Model(_Part):
    type: Literal["WordLevel", "BPE"]
    unk_token: Literal["<unk>"] | None
    vocab: dict[str, NonNegativeInt]
    merges: list[_Pair] = Field(default_factory=list)
    dropout: None = None
    continuing_subword_prefix: None = None
    end_of_word_suffix: None = None
    fuse_unk: Literal[False] = False
    byte_fallback: Literal[False] = False
    ignore_merges: Literal[False] = False


class TokenizerFile(_Part):
    """The content of a tokenizer.json."""

    truncation: _Truncation | None
    padding: None
    added_tokens: Annotated[list[None], Field(max_length=0)]
    normalizer: _Normalizer | None
    pre_tokenizer: (
        Annotated[_Split | _JoinedWords | _ByteLevel | _Sequence, Field(discriminator="type")] | None
    )
    post_processor: None
    decoder: _ByteLevel | None
    model: _Model

    def settings(self) -> TokenizerSettings:
        """Return how texts are cut. Raises ValueError for a way that no `Kind` is."""
        lowercase, form = self._normalizing()
        limit = None if self.truncation is None else self.truncation.max_length
        return TokenizerSettings(self._kind(), lowercase, max_tokens=limit, unicode_form=form)

    def tokens(self) -> list[str]:
        """Return the tokens that follow the specials. Raises ValueError where ids or tokens are not right."""
        vocabulary = self.model.vocab
        tokens = sorted(vocabulary, key=vocabulary.__getitem__)
        if [vocabulary[token] for token in tokens] != list(range(len(tokens))):
            raise ValueError("the ids are not 0, 1, 2 ... without a hole")
        if tuple(tokens[: len(SPECIALS)]) != SPECIALS:
            raise ValueError(f"the ids 0 to 3 are not {' '.join(SPECIALS)}")
        _check_spelling(self._kind(), tokens[len(SPECIALS) :])
        return tokens[len(SPECIALS) :]

    def merges(self) -> Merges:
        """Return the merges of a bpe. Raises ValueError for one of tokens, or to one, that there is not."""
        merges = [(left, right) for left, right in self.model.merges]
        if merges and self._kind() not in ("bpe", "gpt2-bpe"):
            raise ValueError(f"merges in a {self._kind()} tokenizer")
        known = set(self.tokens())
        for left, right in merges:
            if not {left, right, left + right} <= known:
                raise ValueError(
                    f"a merge of {left[:40]!r} and {right[:40]!r}, which are not in the vocabulary"
                )
        if len(set(merges)) < len(merges):
            raise ValueError("a merge occurs twice")
        return merges

    def _normalizing(self) -> tuple[bool, Form]:
        """Return whether texts are lower-cased, and in which Unicode form they are read."""
        types = [step.type for step in self.normalizer.normalizers] if self.normalizer else []
        forms = [form for form in FORMS if form.upper() in types]
        if types != [form.upper() for form in forms] + [LOWERCASE] * (LOWERCASE in types) or len(forms) > 1:
            raise ValueError(f"texts are normalised by {' and '.join(types)}")
        return LOWERCASE in types, forms[0] if forms else "none"

    def _kind(self) -> Kind:
        splitter, model = self.pre_tokenizer, (self.model.type, self.model.unk_token)
        match splitter:
            case _Split() if model == ("WordLevel", "<unk>"):
                for kind, pattern in PATTERNS.items():
                    if splitter.pattern.Regex == pattern:
                        return kind
            case _JoinedWords() if model == ("WordLevel", "<unk>") and splitter.pattern.Regex == PATTERN:
                return "joined-word"
            case _ByteLevel() if model == ("BPE", None) and self.decoder and not splitter.add_prefix_space:
                return "gpt2-bpe" if splitter.use_regex else "byte"
            case _Sequence() if model == ("BPE", None) and self.decoder:
                words, letters = splitter.pretokenizers
                if words.pattern.Regex == BPE_PATTERN and not (letters.use_regex or letters.add_prefix_space):
                    return "bpe"
            case None if model == ("BPE", "<unk>"):
                return "char"
        raise ValueError(f"a {self.model.type} model of unknown kind")


def _check_spelling(kind: Kind, tokens: list[str]) -> None:
    """Raise ValueError unless tokens look like those of the kind."""
    if kind in BYTES:
        alphabet = set(byte_alphabet())
        if set("".join(tokens)) != alphabet or not alphabet.issubset(tokens):
            raise ValueError("the vocabulary is not made of the 256 bytes")
    if "" in tokens or (kind in ("char", "byte") and any(len(token) > 1 for token in tokens)):
        raise ValueError(f"a token of a {kind} tokenizer is empty, or has several characters")
