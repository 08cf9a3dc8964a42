"""Text to token ids and back, over the Hugging Face `tokenizers` library.

The ids 0 to 3 are `<blank> <unk> <bos> <eos>`. They are never registered with the library as special
tokens: no text, whatever it contains, is turned into one of them by encoding, but for `<unk>`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import tokenizers
from numpy.typing import NDArray
from tokenizers import models

from seqrnn.data.grouping import batched
from seqrnn.data.text.chunk_ids import ChunkNumbers
from seqrnn.data.text.detokenizer import TextDecoder, character_count
from seqrnn.data.text.encoded import ByteNumbers, CharacterNumbers, Encoded, EncodedTexts, Numbers
from seqrnn.data.text.joined_texts import JoinedTexts
from seqrnn.data.text.pieces import PIECE
from seqrnn.data.text.tokenizer_file import JOINED, TokenizerFile
from seqrnn.data.text.vocabulary import (
    BLANK,
    BOS,
    EOS,
    PATTERNS,
    SPECIALS,
    SPLIT,
    UNK,
    Merges,
    TokenizerSettings,
    byte_alphabet,
    can_be_whole,
    growth,
    normalizer,
    pieces_of,
    pipeline,
    shrinkage,
    text_normalizer,
    word_splitter,
)
from seqrnn.data.text.whole_texts import WholeTextNumbers
from seqrnn.errors import ModelError
from seqrnn.strict_json import COPY, read_as

if TYPE_CHECKING:
    from seqrnn.data.text.learners import VocabularyLearner

__all__ = [
    "BLANK",
    "BOS",
    "EOS",
    "SPECIALS",
    "UNK",
    "Encoded",
    "TextDecoder",
    "Tokenizer",
    "TokenizerSettings",
    "learner_of",
]


def learner_of(settings: TokenizerSettings) -> VocabularyLearner:
    """Return what learns the vocabulary of a tokenizer, from texts that come in batches."""
    from seqrnn.data.text.learners import vocabulary_learner  # nobody who answers needs it

    return vocabulary_learner(settings)


class Tokenizer:
    """Cuts texts into tokens of one kind (see `vocabulary.py`) and numbers them."""

    def __init__(self, settings: TokenizerSettings, tokens: Sequence[str], merges: Merges) -> None:
        """Take the tokens that follow the specials, in the order of their ids, and the merges of a bpe."""
        self.settings = settings
        self.kind = settings.kind
        self.tokens = (*SPECIALS, *tokens)
        self.max_tokens = settings.max_tokens
        self.vocabulary = {token: number for number, token in enumerate(self.tokens)}
        self.normalize = normalizer(settings)  # how a text is written before it is cut into tokens
        self._shrinkage = shrinkage(settings)
        self._growth = growth(settings)
        self._merges = merges
        self._normalize_all = text_normalizer(settings)
        self._pipeline = pipeline(settings, self._model(merges))
        if settings.max_tokens:
            self._pipeline.enable_truncation(settings.max_tokens)

    @classmethod
    def learn(cls, texts: Iterable[str], settings: TokenizerSettings) -> Tokenizer:
        """Learn the vocabulary from texts; the same texts always give the same ids."""
        learner = learner_of(settings)
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
        a special as one character, which an unknown character is, but `<blank>`, which fills what is shorter.
        """
        counts = np.array([character_count(self.kind, token) for token in self.tokens])
        counts[: len(SPECIALS)] = 1
        counts[BLANK] = 0
        return counts

    def encode(self, text: str) -> Encoded:
        """Encode one text."""
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str], most: int | None = None) -> list[Encoded]:
        """Encode many texts, which is much faster than one by one; see `encode_texts`."""
        return self.encode_texts(texts, most).each(UNK)

    def encode_texts(self, texts: Sequence[str], most: int | None = None) -> EncodedTexts:
        """Encode many texts into one array, which is faster still.

        A long text is encoded piece by piece, and not beyond the first piece at which it has more than
        `most` or max_tokens: its cost is bounded, however long it is.
        """
        if self.max_tokens and self.kind in ("char", "byte"):
            # What cannot be reached is not worth the memory.
            reach = (self.max_tokens + 1) * self._shrinkage
            texts = [text[:reach] for text in texts]
        if max(map(len, texts), default=0) <= PIECE:
            return self._encode(texts)
        encoded = self._encode([text if len(text) <= PIECE else "" for text in texts])
        return encoded.with_others(
            {row: self._encode_long(text, most) for row, text in enumerate(texts) if len(text) > PIECE}
        )

    def encode_joined(self, texts: JoinedTexts, most: int | None = None) -> EncodedTexts:
        """Encode lines that are joined already, which is the fastest; see `encode_texts`.

        The ids are integers of any size.
        """
        if self._numbers is None or not can_be_whole(texts, self.settings):
            return self.encode_texts(texts.texts(), most)
        return EncodedTexts.cut(*self._numbers(self._normalize_all.joined(texts)), self.max_tokens)

    def _encode(self, texts: Sequence[str]) -> EncodedTexts:
        if self._numbers is None:
            return self._encode_in_pipeline(texts)
        ids, lengths = self._numbers(JoinedTexts.of(self._normalize_all(texts)))
        return EncodedTexts.cut(ids.astype(np.int32, copy=False), lengths, self.max_tokens)

    @cached_property
    def _numbers(self) -> Numbers | None:
        """What looks up all tokens of many texts at once; None where merges say what a token is."""
        if self._merges:
            return None
        # A word of the text that is spelled like a special is unknown.
        known = {token: number for token, number in self.vocabulary.items() if number >= len(SPECIALS)}
        match self.kind:
            case "word":
                return ChunkNumbers(known, UNK)
            case "split-word" | "joined-word":
                return ChunkNumbers(known, UNK, word_splitter(self.settings).split)
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
        ids[ids < len(SPECIALS)] = UNK  # or merges that are spelled like a special
        truncated = map(self._is_cut, encodings, lengths.tolist())
        return EncodedTexts(ids, lengths, np.fromiter(truncated, dtype=bool, count=len(rows)))

    def _encode_long(self, text: str, most: int | None) -> EncodedTexts:
        """Encode a text piece by piece, until it has more tokens than are wanted."""
        limits = [limit for limit in (self.max_tokens, most) if limit is not None]
        parts: list[NDArray[np.int32]] = []
        cut, count = False, 0
        for piece in pieces_of(text, self.kind):
            part = self._encode([piece])
            parts.append(part.ids)
            cut, count = bool(part.truncated[0]), count + len(part.ids)
            if cut or count > min(limits, default=count):
                break
        ids = np.concatenate(parts)
        if self.max_tokens is not None:
            ids, cut = ids[: self.max_tokens], cut or count > self.max_tokens
        return EncodedTexts(ids, np.array([len(ids)]), np.array([cut]))

    def is_longer(self, text: str, most: int) -> bool:
        """Whether a text has more than `most` tokens. It is encoded where its characters leave that open."""
        if self.max_tokens is not None and self.max_tokens <= most:
            return False
        return len(text) * self._growth > most and len(self.encode_batch([text], most)[0].ids) > most

    def split(self, text: str) -> list[str]:
        """Return the spellings of all tokens of a text, however many; `<unk>` for an unknown one."""
        if self.kind in SPLIT and self._numbers is not None:
            ids, _ = self._numbers(JoinedTexts.of([text]))
            return [self.tokens[token_id] for token_id in ids]
        encodings = map(self._pipeline.encode, pieces_of(text, self.kind))
        parts = (part for encoding in encodings for part in (encoding, *encoding.overflowing))
        return [token for part in parts for token in part.tokens]

    def surfaces(self, text: str) -> list[str]:
        """Return what a text has for each token, as it is written there, known or not."""
        return [text[start:end] for start, end in self._spans(text)]

    def without(self, text: str, token: int) -> str:
        """Return a text without one of its tokens, by its number."""
        start, end = self._spans(text)[token]
        return text[:start] + text[end:]

    def cut(self, text: str) -> str:
        """Return a text as far as its tokens reach: all of it unless max_tokens ends it before."""
        if self.max_tokens is None or self.max_tokens >= len(text):
            return text
        spans = self._spans(text)
        return text[: spans[-1][1]] if spans else ""

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Return where each token of a text begins and ends."""
        spans: list[tuple[int, int]] = self._pipeline.encode(text).offsets
        return spans

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids; specials are dropped.

        Words come back with single spaces between them, joined words with those that the text had.
        """
        kept = [token_id for token_id in ids if token_id >= len(SPECIALS)]
        words = [self.tokens[token_id] for token_id in kept]
        if self.kind in PATTERNS and self.kind != "joined-word" and "\n" not in words:
            return " ".join(words)  # as the decoder would, in a tenth of the time
        decoder = self.decoder()
        return "".join(map(decoder.feed, kept)) + decoder.finish()

    def decoder(self, after: str = "") -> TextDecoder:
        """Return a decoder that is fed one id at a time, and continues the text `after`."""
        return TextDecoder(self.kind, self.tokens, after)

    def to_json(self) -> str:
        """Return the content of a tokenizer.json.

        The `tokenizers` library reads it as well, and encodes alike; that of joined words, of which
        it has no equal, it refuses.
        """
        text: str = self._pipeline.to_str()
        if self.kind != "joined-word":
            return text
        content = json.loads(text)
        content["pre_tokenizer"]["type"] = JOINED
        return json.dumps(content, ensure_ascii=False, indent=2)

    @classmethod
    def from_json(cls, text: str, name: str = "tokenizer.json") -> Tokenizer:
        """Read what `to_json` has written. Raises ModelError if it is anything else.

        The tokenizer is built anew from the vocabulary, the merges and the settings, once these are known
        to fit together; `name` is the file that errors shall name.
        """
        try:
            content = read_as(TokenizerFile, text, name)
            return cls(content.settings(), content.tokens(), content.merges())
        except ModelError:
            raise
        except Exception as error:  # the library raises bare Exceptions
            raise ModelError(f"{name}: malformed ({error}); {COPY}") from error

    def check_settings(self, wanted: TokenizerSettings, name: str) -> None:
        """Raise ModelError unless texts are cut as the configuration says; `name` is the tokenizer's file."""
        found = self.settings
        for what in ("kind", "lowercase", "unicode_form", "max_tokens"):
            if getattr(found, what) != getattr(wanted, what):
                raise ModelError(
                    f"{name}: has {what} {getattr(found, what)}, the configuration {getattr(wanted, what)}; "
                    f"they are of different models, {COPY}"
                )

    def _model(self, merges: Merges) -> models.Model:
        if self.kind in PATTERNS:
            return models.WordLevel(self.vocabulary, unk_token=SPECIALS[UNK])
        # A BPE without merges looks up single characters, much faster than splitting the text into them.
        unknown = SPECIALS[UNK] if self.kind == "char" else None
        return models.BPE(self.vocabulary, merges, unk_token=unknown)

    def _is_cut(self, encoding: tokenizers.Encoding, size: int) -> bool:
        return size == self.max_tokens and bool(encoding.overflowing)
