"""The sides of a tagged sentence: its tokens, how each is spelled, and the tag of each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import UNSET, UnsetType

from seqrnn.catalog import FieldFile
from seqrnn.data.dataset.columns import smallest_dtype
from seqrnn.data.fields.field import TextField
from seqrnn.data.fields.fitting import FittedField
from seqrnn.data.fields.names import Location, NamesField, Remark, location_of
from seqrnn.data.fields.tag_schemes import (
    LETTERS,
    Reading,
    Scheme,
    read_tags,
    read_tags_as,
    scheme_of_older_runs,
)
from seqrnn.data.limits import LONGEST, require_length
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import EOS, Encoded, Tokenizer, TokenizerSettings, learner_of
from seqrnn.data.text.tokens import join_tokens, split_tags, split_tokens
from seqrnn.data.text.vocabulary import normalizer
from seqrnn.data.wording import counted
from seqrnn.errors import DataError, ModelError
from seqrnn.strict_json import COPY, Strict, read_as

if TYPE_CHECKING:
    from seqrnn.data.text.learners import VocabularyLearner

LONGEST_SPELLING = 32  # characters; what is longer is an address, and hardly known by its end


class TokensField(TextField):
    """The tokens of a sentence, each a word: what is separated by blanks in the source."""

    def __init__(self, name: str, settings: TokenizerSettings) -> None:
        super().__init__(name, settings)
        self._normalize = normalizer(settings)

    def check(self, record: Record) -> None:
        """Accept up to `LONGEST` tokens. Raises DataError, with its location, for more of them."""
        max_tokens = self.tokenizer.max_tokens
        if len(record.source) > LONGEST and (max_tokens is None or max_tokens > LONGEST):
            require_length(record, len(split_tokens(record.source)[:max_tokens]), "token")

    def load_json(self, text: str) -> None:
        """Take over a tokenizer.json. Raises ModelError if it is malformed."""
        super().load_json(text)
        self._normalize = self.tokenizer.normalize

    def text_of(self, record: Record) -> str:
        """Return the tokens in one line, of which the tokenizer makes as many.

        A normal form may put a blank into a token (NFKC writes U+00B4 as a blank and an accent). So where the
        line gains blanks, each token is normalised by itself: such a blank ends no token.
        """
        tokens = split_tokens(record.source)
        text = join_tokens(tokens)
        if self._normalize(text).count(" ") < len(tokens):
            return text
        return join_tokens(map(self._normalize, tokens))


class CharactersField(FittedField):
    """The characters of each token of a sentence, <eos> after each token.

    Unlike the words, characters keep their case; one that was seen once is <unk>, so that the
    model meets unknown ones.
    """

    file_name: FieldFile | None = "characters.json"
    requires_known_values = False
    unit: str | None = None
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

    @property
    def id_count(self) -> int | None:
        """How many characters there are."""
        return len(self.tokenizer)

    def observe(self, records: Sequence[Record]) -> None:
        """Look at the characters of some records."""
        self._learner = self._learner or learner_of(self._settings)
        self._learner.add([word for record in records for word in split_tokens(record.source)])

    def settle(self) -> None:
        """Learn which characters there are."""
        learner, self._learner = self._learner or learner_of(self._settings), None
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
        self.tokenizer = Tokenizer.from_json(text, "characters.json")
        self.tokenizer.check_settings(self._settings, "characters.json")


class _Tags(Strict, frozen=True):
    """The content of tags.json; older ones have no scheme."""

    tags: list[str]
    scheme: str | UnsetType | None = UNSET


class TagField(NamesField):
    """The tag of each token, numbered in alphabetical order, and how tags mark spans.

    A record has one target a token, or all of them in one line. `chosen` is the setting `tag_scheme`.
    """

    file_name: FieldFile | None = "tags.json"

    def __init__(self, name: str, max_tokens: int | None, chosen: str = "auto") -> None:
        super().__init__(name)
        self._max_tokens = max_tokens
        self._chosen = chosen
        self.tags: list[str] = []
        self.scheme: Scheme | None = None
        self._counts: Counter[str] = Counter()
        self._locations: dict[str, Location] = {}  # where each tag was met first

    @property
    def known(self) -> Sequence[str]:
        """The tags of the training part."""
        return self.tags

    @property
    def description(self) -> str:
        """The limit, and the scheme that was asked for."""
        return f"{self.name} tags {self._max_tokens} {self._chosen} of the training part"

    def observe(self, records: Sequence[Record]) -> None:
        """Gather the tags of some records. Raises DataError where tokens and tags do not match."""
        for record in records:
            tags = self.names_of(record)
            for tag in set(tags) - self._locations.keys():
                self._locations[tag] = location_of(record, tags.index(tag))
            self._counts.update(tags)

    def settle(self) -> None:
        """Number the tags, and tell how they mark spans; remark on those that are unlike the others.

        Raises DataError where all tags are the same, or many are not of the scheme that was asked for.
        """
        counts, self._counts = self._counts, Counter()
        locations, self._locations = self._locations, {}
        self.tags = sorted(counts)
        if len(self.tags) < 2:
            found = f"only the tag {self.tags[0]!r}" if self.tags else "no tag"
            raise DataError(
                f"the training data have {found}; name the column of the tags with `data.label_column`"
            )
        self._tell_scheme(counts, locations)

    def _tell_scheme(self, counts: Counter[str], locations: Mapping[str, Location]) -> None:
        try:
            reading = self._reading(counts)
        except ValueError as error:
            what = f"the tag {error.args[0]!r} is none of {self._chosen.upper()}"
            raise DataError(f"{locations[error.args[0]]}: {what}; use another `data.tag_scheme`") from None
        self.scheme = reading.scheme
        self.remarks = [
            Remark(
                locations[tag], f"the tag {tag!r} (tokens: {counts[tag]:,}) {read}; fix it if it is a slip"
            )
            for tag, read in reading.odd.items()
        ]

    def _reading(self, counts: Counter[str]) -> Reading:
        match self._chosen:
            case "auto":
                return read_tags(counts)
            case "bio" | "bioes" as scheme:
                return read_tags_as(scheme, counts)
        return Reading()

    def encode(self, records: Sequence[Record]) -> list[Encoded]:
        """Return the tag numbers of each record; unknown tags come after all others.

        Raises DataError with the location of a record whose tokens and tags do not match.
        """
        named = ((record, self.names_of(record)[: self._max_tokens]) for record in records)
        return [Encoded(ids) for ids in self.numbers(named)]

    def names_of(self, record: Record) -> Sequence[str]:
        """Return the tag of each token. Raises DataError where their numbers differ."""
        return tags_of(record)

    def to_json(self) -> str:
        """Return the content of tags.json."""
        return json.dumps({"tags": self.tags, "scheme": self.scheme}, ensure_ascii=False)

    def load_json(self, text: str) -> None:
        """Take over a tags.json. Raises ModelError if it is malformed."""
        content = read_as(_Tags, text, "tags.json")
        tags = content.tags
        if len(tags) < 2 or tags != sorted(set(tags)):
            raise ModelError(f"tags.json: does not hold two tags or more, in order; {COPY}")
        scheme = self._older_scheme(tags) if content.scheme is UNSET else content.scheme
        if scheme not in [None, *LETTERS]:
            raise ModelError(f"tags.json: there is no scheme {scheme!r:.40}; {COPY}")
        self.tags, self.scheme = tags, scheme

    def _older_scheme(self, tags: list[str]) -> str | None:
        """Return what tags marked in runs that did not keep it."""
        return {"auto": scheme_of_older_runs(tags), "none": None}.get(self._chosen, self._chosen)


def tags_of(record: Record) -> Sequence[str]:
    """Return a tag for each token of a record. Raises DataError where their numbers differ."""
    tags = [tag.strip() for tag in split_tags(record.targets)]
    tokens = len(split_tokens(record.source))
    if len(tags) != tokens:
        what = f"{counted(tokens, 'token')}, {counted(len(tags), 'tag')}"
        raise DataError(
            f"{record.location}: {what}; give one tag for each token, or train with `task=seq2seq`"
        )
    return tags
