"""Text to token ids and back, over the Hugging Face `tokenizers` library.

The ids 0 to 3 are `<blank> <unk> <bos> <eos>`. They are never registered with the library as special
tokens: no text, whatever it contains, is turned into one of them by encoding, but for `<unk>`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import tokenizers
from numpy.typing import NDArray
from tokenizers import models

from seqrnn.data.encoded import ByteNumbers, CharacterNumbers, Encoded, EncodedTexts, Numbers
from seqrnn.data.grouping import batched
from seqrnn.data.learners import vocabulary_learner
from seqrnn.data.normalizing import FORMS, Form, TextNormalizer
from seqrnn.data.text.detokenizer import Decoder, character_count
from seqrnn.data.text.vocabulary import (
    BLANK,
    BOS,
    EOS,
    PATTERNS,
    SPECIALS,
    UNK,
    Kind,
    Merges,
    TokenizerSettings,
    byte_alphabet,
    pipeline,
)
from seqrnn.data.text.words import WholeTextNumbers, WordNumbers
from seqrnn.errors import ModelError

__all__ = ["BLANK", "BOS", "EOS", "SPECIALS", "UNK", "Decoder", "Encoded", "Tokenizer", "TokenizerSettings"]


class Tokenizer:
    """Cuts texts into tokens of one kind (see `vocabulary.py`) and numbers them."""

    def __init__(self, settings: TokenizerSettings, tokens: Sequence[str], merges: Merges) -> None:
        """Take the tokens that follow the specials, in the order of their ids, and the merges of a bpe."""
        self.kind = settings.kind
        self.tokens = (*SPECIALS, *tokens)
        self.max_tokens = settings.max_tokens
        self.vocabulary = {token: number for number, token in enumerate(self.tokens)}
        self._settings = settings
        self._merges = merges
        self._normalize = TextNormalizer(settings.unicode_form, settings.lowercase)
        self._pipeline = pipeline(settings, self._model(merges))
        if settings.max_tokens:
            self._pipeline.enable_truncation(settings.max_tokens)

    @classmethod
    def learn(cls, texts: Iterable[str], settings: TokenizerSettings) -> Tokenizer:
        """Learn the vocabulary from texts; the same texts always give the same ids."""
        learner = vocabulary_learner(settings)
        for batch in batched(texts, len):
            learner.add(batch)
        return cls(settings, *learner.learned())

    def __len__(self) -> int:
        return len(self.tokens)

    def token(self, token_id: int) -> str:
        """Return the spelling of an id in the vocabulary."""
        return self.tokens[token_id]

    def character_counts(self) -> NDArray[np.int64]:
        """Return how many characters each id stands for, (V,).

        A word is counted with the space or newline that ends it, so that a newline itself is not;
        a special as one character, which an unknown character is.
        """
        counts = np.array([character_count(self.kind, token) for token in self.tokens])
        counts[: len(SPECIALS)] = 1
        return counts

    def encode(self, text: str) -> Encoded:
        """Encode one text."""
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str]) -> list[Encoded]:
        """Encode many texts, which is much faster than one by one."""
        return self.encode_texts(texts).each(UNK)

    def encode_texts(self, texts: Sequence[str]) -> EncodedTexts:
        """Encode many texts into one array, which is faster still."""
        numbers = self._numbers
        if numbers is None:
            return self._encode_in_pipeline(texts)
        if self.max_tokens and self.kind in ("char", "byte") and self._settings.unicode_form == "none":
            # A character is one token or more: what cannot be reached is not worth the time.
            texts = [text[: self.max_tokens + 1] for text in texts]
        return EncodedTexts.cut(*numbers(self._normalize(texts)), self.max_tokens)

    @cached_property
    def _numbers(self) -> Numbers | None:
        """What looks up all tokens of many texts at once; None where merges say what a token is."""
        if self._merges:
            return None
        # A word of the text that is spelled like a special is unknown.
        known = {token: number for token, number in self.vocabulary.items() if number >= len(SPECIALS)}
        match self.kind:
            case "word":
                return WordNumbers(known, UNK)
            case "label":
                return WholeTextNumbers(known, UNK)
            case "char":
                return CharacterNumbers(known, UNK)
            case "byte":
                return ByteNumbers({byte: known[character] for character, byte in byte_alphabet().items()})
        return None

    def _encode_in_pipeline(self, texts: Sequence[str]) -> EncodedTexts:
        # The "fast" variant leaves out the character offsets, which nothing here needs.
        encodings = self._pipeline.encode_batch_fast(texts)
        rows = [encoding.ids for encoding in encodings]
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        ids = np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=int(lengths.sum()))
        ids[ids < len(SPECIALS)] = UNK  # or a word of the text that is spelled like a special
        truncated = map(self._is_cut, encodings, lengths.tolist())
        return EncodedTexts(ids, lengths, np.fromiter(truncated, dtype=bool, count=len(rows)))

    def split(self, text: str) -> list[str]:
        """Return the spellings of all tokens of a text, however many; `<unk>` for an unknown one."""
        encoding = self._pipeline.encode(text)
        return [token for part in (encoding, *encoding.overflowing) for token in part.tokens]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids; specials are dropped. Words come back with single spaces."""
        kept = [token_id for token_id in ids if token_id >= len(SPECIALS)]
        words = [self.tokens[token_id] for token_id in kept]
        if self.kind in PATTERNS and "\n" not in words:
            return " ".join(words)  # as the decoder would, in a tenth of the time
        decoder = self.decoder()
        return "".join(map(decoder.feed, kept)) + decoder.finish()

    def decoder(self) -> Decoder:
        """Return a decoder that is fed one id at a time."""
        return Decoder(self.kind, self.tokens)

    def to_json(self) -> str:
        """Return the content of a tokenizer.json, which the `tokenizers` library reads as well."""
        text: str = self._pipeline.to_str()
        return text

    @classmethod
    def from_json(cls, text: str) -> Tokenizer:
        """Read what `to_json` has written. Raises ModelError if it is anything else.

        Only the vocabulary, the merges and the settings are taken from the text, and the tokenizer is
        built anew from them: the library's own parser panics on some texts, which prints a traceback.
        """
        try:
            return cls(*_parse(json.loads(text, object_pairs_hook=_without_duplicates)))
        except (KeyError, RecursionError) as error:
            raise ModelError(f"tokenizer.json: malformed ({error!r}); copy it again") from error
        except Exception as error:  # the library raises bare Exceptions
            raise ModelError(f"tokenizer.json: malformed ({error}); copy it again") from error

    def _model(self, merges: Merges) -> models.Model:
        if self.kind in PATTERNS:
            return models.WordLevel(self.vocabulary, unk_token=SPECIALS[UNK])
        # A BPE without merges looks up single characters, much faster than splitting the text into them.
        unknown = SPECIALS[UNK] if self.kind == "char" else None
        return models.BPE(self.vocabulary, merges, unk_token=unknown)

    def _is_cut(self, encoding: tokenizers.Encoding, size: int) -> bool:
        return size == self.max_tokens and bool(encoding.overflowing)


def _parse(content: Any) -> tuple[TokenizerSettings, list[str], Merges]:
    """Return what a tokenizer is built from. Raises ValueError, KeyError or TypeError."""
    model, truncation = content["model"], content["truncation"]
    lowercase, form = _normalizing(content["normalizer"])
    settings = TokenizerSettings(
        kind=_kind(model["type"], content["pre_tokenizer"]),
        lowercase=lowercase,
        max_tokens=truncation and truncation["max_length"],
        unicode_form=form,
    )
    tokens = _tokens(model["vocab"])
    if settings.kind in ("byte", "bpe"):
        _check_bytes(tokens)
    return settings, tokens, [(left, right) for left, right in model.get("merges", [])]


def _normalizing(normalizer: dict[str, Any] | None) -> tuple[bool, Form]:
    """Return whether texts are lower-cased, and in which Unicode form they are read."""
    types = [step["type"] for step in (normalizer or {"normalizers": []})["normalizers"]]
    forms = [form for form in FORMS if form.upper() in types]
    if types != [form.upper() for form in forms] + ["Lowercase"] * ("Lowercase" in types) or len(forms) > 1:
        raise ValueError(f"texts are normalised by {' and '.join(types)}")
    return "Lowercase" in types, forms[0] if forms else "none"


def _kind(model: str, splitter: dict[str, Any] | None) -> Kind:
    if splitter is None:
        return "char"
    if splitter["type"] == "ByteLevel":
        return "bpe" if splitter["use_regex"] else "byte"
    for kind, pattern in PATTERNS.items():
        if model == "WordLevel" and splitter["pattern"] == {"Regex": pattern}:
            return kind
    raise ValueError(f"a {model} model of unknown kind")


def _tokens(vocabulary: dict[str, int]) -> list[str]:
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    if [vocabulary[token] for token in tokens] != list(range(len(tokens))):
        raise ValueError("the ids are not 0, 1, 2 ... without a hole")
    if tuple(tokens[: len(SPECIALS)]) != SPECIALS:
        raise ValueError(f"the ids 0 to 3 are not {' '.join(SPECIALS)}")
    return tokens[len(SPECIALS) :]


def _check_bytes(tokens: list[str]) -> None:
    alphabet = set(byte_alphabet())
    if set("".join(tokens)) != alphabet or not alphabet.issubset(tokens):
        raise ValueError("the vocabulary is not made of the 256 bytes")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a key stands twice")
    return content
