"""What a tokenizer.json must be, before the `tokenizers` library sees anything of it.

The library trusts what it is given: a merge of tokens that do not fit panics, which prints a traceback
past Python. So only what seqrnn writes is read, and a tokenizer is built anew from its parts.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

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
from seqrnn.strict_json import Natural, Strict

LONGEST = 2**31 - 1  # tokens of a text
LOWERCASE = "Lowercase"
JOINED = "JoinedWords"  # the splitter of joined words by its name in tokenizer.json: none of the library's
_Pair = Annotated[list[str], Meta(min_length=2, max_length=2)]


class _Part(Strict, frozen=True, forbid_unknown_fields=False):
    """A part of the file; other keys, which another version of the library may write, are left out."""


def _require(key: str, value: bool, wanted: bool) -> None:
    """Raise ValueError for a switch that is set otherwise than seqrnn sets it."""
    if value is not wanted:
        raise ValueError(f"{key} is not {str(wanted).lower()}")


class _Truncation(_Part, frozen=True):
    direction: Literal["Right"]
    max_length: Annotated[int, Meta(ge=1, le=LONGEST)]
    strategy: Literal["LongestFirst"]
    stride: Literal[0]


class _Step(_Part, frozen=True):
    type: Literal["NFC", "NFD", "NFKC", "NFKD", "Lowercase"]


class _Normalizer(_Part, frozen=True):
    type: Literal["Sequence"]
    normalizers: Annotated[list[_Step], Meta(min_length=1, max_length=2)]


class _Pattern(_Part, frozen=True):
    Regex: str


class _Split(_Part, frozen=True, tag_field="type", tag="Split"):
    pattern: _Pattern
    behavior: Literal["Removed"]
    invert: bool

    def __post_init__(self) -> None:
        _require("invert", self.invert, True)


class _ByteLevel(_Part, frozen=True, tag_field="type", tag="ByteLevel"):
    add_prefix_space: bool
    use_regex: bool


class _JoinedWords(_Part, frozen=True, tag_field="type", tag="JoinedWords"):
    pattern: _Pattern


class _Isolated(_Part, frozen=True, tag_field="type", tag="Split"):
    pattern: _Pattern
    behavior: Literal["Isolated"]
    invert: bool

    def __post_init__(self) -> None:
        _require("invert", self.invert, False)


class _Sequence(_Part, frozen=True, tag_field="type", tag="Sequence"):
    """Words, then the bytes of each."""

    pretokenizers: tuple[_Isolated, _ByteLevel]


class _Model(_Part, frozen=True):
    type: Literal["WordLevel", "BPE"]
    unk_token: Literal["<unk>"] | None
    vocab: dict[str, Natural]
    merges: list[_Pair] = field(default_factory=list)
    dropout: None = None
    continuing_subword_prefix: None = None
    end_of_word_suffix: None = None
    fuse_unk: bool = False
    byte_fallback: bool = False
    ignore_merges: bool = False

    def __post_init__(self) -> None:
        for name in ("fuse_unk", "byte_fallback", "ignore_merges"):
            _require(name, getattr(self, name), False)


class TokenizerFile(_Part, frozen=True):
    """The content of a tokenizer.json."""

    truncation: _Truncation | None
    padding: None
    added_tokens: Annotated[list[None], Meta(max_length=0)]
    normalizer: _Normalizer | None
    pre_tokenizer: _Split | _JoinedWords | _ByteLevel | _Sequence | None
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
