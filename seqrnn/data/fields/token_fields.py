"""The sides of a tagged sentence: its tokens, how each is spelled, and the tag of each."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from seqrnn.catalog import FieldFile
from seqrnn.data.dataset.columns import smallest_dtype
from seqrnn.data.fields.field import Learning, TextField
from seqrnn.data.learners import VocabularyLearner, vocabulary_learner
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import EOS, Encoded, Tokenizer, TokenizerSettings
from seqrnn.data.text.tokens import join_tokens, split_tags, split_tokens
from seqrnn.errors import DataError, ModelError

LONGEST_SPELLING = 32  # characters; what is longer is an address, and hardly known by its end


class TokensField(TextField):
    """The tokens of a sentence, each a word: what stands apart by blanks in the source."""

    def _text(self, record: Record) -> str:
        return join_tokens(split_tokens(record.source))


class CharactersField(Learning):
    """The characters of each token of a sentence, <eos> behind each token.

    Other than the words, characters keep their case; one that was seen once is <unk>, so that the
    model meets unknown ones.
    """

    file_name: FieldFile | None = "characters.json"
    closed = False
    counted: str | None = None
    tokenizer: Tokenizer

    def __init__(self, name: str, max_tokens: int | None) -> None:
        self.name = name
        self._max_tokens = max_tokens
        self._settings = TokenizerSettings("char", min_count=2, max_tokens=LONGEST_SPELLING)
        self._learner: VocabularyLearner | None = None

    @property
    def description(self) -> str:
        """The limits."""
        return f"{self.name} characters {self._max_tokens} {self._settings}"

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest dtype that the characters fit into."""
        return smallest_dtype(len(self.tokenizer))

    def observe(self, records: Sequence[Record]) -> None:
        """Look at the characters of some records."""
        self._learner = self._learner or vocabulary_learner(self._settings)
        self._learner.add([word for record in records for word in split_tokens(record.source)])

    def settle(self) -> None:
        """Learn which characters there are."""
        learner, self._learner = self._learner or vocabulary_learner(self._settings), None
        self.tokenizer = Tokenizer(self._settings, *learner.learned())

    def encode(self, records: Sequence[Record]) -> list[Encoded]:
        """Spell each token of each record."""
        sentences = [split_tokens(record.source)[: self._max_tokens] for record in records]
        words = sorted({word for sentence in sentences for word in sentence})
        spelled = (np.append(encoded.ids, EOS) for encoded in self.tokenizer.encode_batch(words))
        spellings = dict(zip(words, spelled, strict=True))
        nothing = np.empty(0, dtype=np.int32)
        return [
            Encoded(np.concatenate([nothing, *map(spellings.__getitem__, sentence)]))
            for sentence in sentences
        ]

    def to_json(self) -> str:
        """Return the content of characters.json."""
        return self.tokenizer.to_json()

    def load_json(self, text: str) -> None:
        """Take over a characters.json. Raises ModelError if it is malformed."""
        self.tokenizer = Tokenizer.from_json(text)
        if self.tokenizer.kind != "char":
            raise ModelError(f"characters.json: tokens of kind {self.tokenizer.kind}; copy it again")


class TagField(Learning):
    """The tag of each token, numbered in alphabetical order.

    A record has one target a token, or all of them in one line.
    """

    file_name: FieldFile | None = "tags.json"
    closed = True
    counted: str | None = None

    def __init__(self, name: str, max_tokens: int | None) -> None:
        self.name = name
        self._max_tokens = max_tokens
        self.tags: list[str] = []
        self._seen: set[str] = set()

    @property
    def description(self) -> str:
        """The limit."""
        return f"{self.name} tags {self._max_tokens}"

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest dtype that the tags fit into."""
        return smallest_dtype(len(self.tags))

    def observe(self, records: Sequence[Record]) -> None:
        """Gather the tags of some records. Raises DataError where tokens and tags do not match."""
        self._seen.update(tag for record in records for tag in tags_of(record))

    def settle(self) -> None:
        """Number the tags. Raises DataError where all are the same."""
        seen, self._seen = self._seen, set()
        self.tags = sorted(seen)
        if len(self.tags) < 2:
            found = f"only the tag {self.tags[0]!r}" if self.tags else "no tag"
            raise DataError(f"the training data have {found}; name the column of the tags with --label-col")

    def encode(self, records: Sequence[Record]) -> list[Encoded]:
        """Return the tag numbers of each record.

        Raises DataError with the place of a record that has an unknown tag, or one too many.
        """
        numbers = {tag: number for number, tag in enumerate(self.tags)}
        return [self._encode(record, numbers) for record in records]

    def _encode(self, record: Record, numbers: dict[str, int]) -> Encoded:
        tags = tags_of(record)[: self._max_tokens]
        try:
            return Encoded(np.array([numbers[tag] for tag in tags], dtype=np.int32))
        except KeyError as error:
            raise self._unknown(record, error.args[0]) from None

    def _unknown(self, record: Record, tag: str) -> DataError:
        near = difflib.get_close_matches(tag, self.tags, n=1, cutoff=0.0)
        what = f"the tag {tag!r} does not occur in the training data"
        return DataError(f"{record.place}: {what}; mend it (the nearest is {near[0]!r}), or train with it")

    def to_json(self) -> str:
        """Return the content of tags.json."""
        return json.dumps({"tags": self.tags}, ensure_ascii=False)

    def load_json(self, text: str) -> None:
        """Take over a tags.json. Raises ModelError if it is malformed."""
        try:
            tags = json.loads(text)["tags"]
        except (ValueError, RecursionError, KeyError, TypeError) as error:
            raise ModelError(f"tags.json: malformed ({error!r}); copy it again") from error
        if not _are_tags(tags):
            raise ModelError("tags.json: does not hold two tags or more, in order; copy it again")
        self.tags = tags


def tags_of(record: Record) -> Sequence[str]:
    """Return a tag for each token of a record. Raises DataError where their numbers differ."""
    tags = split_tags(record.targets)
    tokens = len(split_tokens(record.source))
    if len(tags) != tokens:
        what = f"{_count(tokens, 'token')}, {_count(len(tags), 'tag')}"
        raise DataError(f"{record.place}: {what}; give one tag for each token, or train with --task seq2seq")
    return tags


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _are_tags(tags: object) -> bool:
    return (
        isinstance(tags, list)
        and len(tags) > 1
        and all(isinstance(tag, str) for tag in tags)
        and tags == sorted(set(tags))
    )
