"""Text to token ids and back, over the Hugging Face `tokenizers` library.

The ids 0 to 3 are `<blank> <unk> <bos> <eos>`. They are never registered with the library as special
tokens: no text, whatever it contains, is turned into one of them by encoding, but for `<unk>`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, islice
from typing import Any, NamedTuple

import numpy as np
import tokenizers
from numpy.typing import NDArray
from tokenizers import models

from seqrnn.data.text.detokenizer import Decoder, character_count
from seqrnn.data.text.pieces import PIECE
from seqrnn.data.text.tokenizer_file import JOINED, TokenizerFile
from seqrnn.data.text.vocabulary import (
    BLANK,
    BOS,
    EOS,
    PATTERNS,
    SPECIALS,
    UNK,
    Merges,
    TokenizerSettings,
    growth,
    learn_vocabulary,
    normalizer,
    pieces_of,
    pipeline,
    shrinkage,
    word_splitter,
)
from seqrnn.data.text.words import ChunkIds
from seqrnn.errors import ModelError
from seqrnn.strict_json import COPY, read_as

__all__ = ["BLANK", "BOS", "EOS", "SPECIALS", "UNK", "Decoder", "Encoded", "Tokenizer", "TokenizerSettings"]


class Encoded(NamedTuple):
    """One side of an example in numbers: whether it was cut to max_tokens, how many ids are <unk>.

    `ids` (T,) are those of tokens, or in their place the vectors (T, F) of a sequence of numbers.
    """

    ids: NDArray[Any]
    truncated: bool = False
    unknown: int = 0


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
        self._pipeline = pipeline(settings, self._model(merges))
        self._chunks: ChunkIds | None = None
        if self.kind in ("split-word", "joined-word"):
            self._chunks = ChunkIds(word_splitter(settings), self.vocabulary, UNK)
        if settings.max_tokens:
            self._pipeline.enable_truncation(settings.max_tokens)

    @classmethod
    def learn(cls, texts: Iterable[str], settings: TokenizerSettings) -> Tokenizer:
        """Learn the vocabulary from texts; the same texts always give the same ids."""
        return cls(settings, *learn_vocabulary(texts, settings))

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

    def encode_batch(self, texts: Sequence[str], most: int | None = None) -> list[Encoded]:
        """Encode many texts, which is much faster than one by one.

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
        for row, text in enumerate(texts):
            if len(text) > PIECE:
                encoded[row] = self._encode_long(text, most)
        return encoded

    def _encode(self, texts: Sequence[str]) -> list[Encoded]:
        if self._chunks is not None:
            return self._encode_words(texts, self._chunks)
        # The "fast" variant leaves out the character offsets, which nothing here needs.
        encodings = self._pipeline.encode_batch_fast(texts)
        rows = [encoding.ids for encoding in encodings]
        cut = [self._is_cut(encoding, len(row)) for encoding, row in zip(encodings, rows, strict=True)]
        return _encoded(rows, cut)

    def _encode_words(self, texts: Sequence[str], chunks: ChunkIds) -> list[Encoded]:
        limit = self.max_tokens
        if limit is None:
            return _encoded([list(chunks.of(text)) for text in texts], [False] * len(texts))
        rows = [list(islice(chunks.of(text), limit + 1)) for text in texts]
        return _encoded([row[:limit] for row in rows], [len(row) > limit for row in rows])

    def _encode_long(self, text: str, most: int | None) -> Encoded:
        """Encode a text piece by piece, until it has more tokens than are wanted."""
        limits = [limit for limit in (self.max_tokens, most) if limit is not None]
        parts: list[NDArray[Any]] = []
        cut, count = False, 0
        for piece in pieces_of(text, self.kind):
            part = self._encode([piece])[0]
            parts.append(part.ids)
            cut, count = part.truncated, count + len(part.ids)
            if cut or count > min(limits, default=count):
                break
        ids = np.concatenate(parts)
        if self.max_tokens is not None:
            ids, cut = ids[: self.max_tokens], cut or count > self.max_tokens
        return Encoded(ids, cut, int((ids == UNK).sum()))

    def is_longer(self, text: str, most: int) -> bool:
        """Whether a text has more than `most` tokens. It is encoded where its characters leave that open."""
        if self.max_tokens is not None and self.max_tokens <= most:
            return False
        return len(text) * self._growth > most and len(self.encode_batch([text], most)[0].ids) > most

    def split(self, text: str) -> list[str]:
        """Return the spellings of all tokens of a text, however many; `<unk>` for an unknown one."""
        if self._chunks is not None:
            return [self.tokens[token_id] for token_id in self._chunks.of(text)]
        encodings = map(self._pipeline.encode, pieces_of(text, self.kind))
        parts = (part for encoding in encodings for part in (encoding, *encoding.overflowing))
        return [token for part in parts for token in part.tokens]

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

    def decoder(self, after: str = "") -> Decoder:
        """Return a decoder that is fed one id at a time, and goes on from the text `after`."""
        return Decoder(self.kind, self.tokens, after)

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


def _encoded(rows: Sequence[list[int]], cut: Sequence[bool]) -> list[Encoded]:
    """Make one array of ids, and hand out its parts."""
    ends = [0, *accumulate(map(len, rows))]
    ids = np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=ends[-1])
    special = ids < len(SPECIALS)
    ids[special] = UNK  # or a word of the text that is spelled like a special
    unknown = np.diff(np.concatenate([[0], special.cumsum()])[ends]).tolist()
    return [
        Encoded(ids[start:stop], truncated, count)
        for start, stop, truncated, count in zip(ends, ends[1:], cut, unknown, strict=False)
    ]
