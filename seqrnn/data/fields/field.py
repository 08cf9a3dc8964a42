"""The sides of an example: each learns its vocabulary and turns records into integers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from msgspec.structs import replace

from seqrnn.catalog import FieldFile
from seqrnn.data.dataset.columns import Column, smallest_dtype
from seqrnn.data.fields.fitting import FittedField
from seqrnn.data.fields.input_sizes import TokenSizes
from seqrnn.data.fields.names import NamesField
from seqrnn.data.limits import LONGEST, require_length
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import UNK, Encoded, Tokenizer, TokenizerSettings, learner_of
from seqrnn.errors import DataError, ModelError
from seqrnn.strict_json import COPY, Strict, read_as

if TYPE_CHECKING:
    from seqrnn.data.text.learners import VocabularyLearner

AS_WRITTEN = frozenset({"word", "split-word", "joined-word", "label", "char"})
"""Kinds of tokens that a text shows as they are."""

Side = Literal["source", "target"]
Use = Literal["read", "translated", "written"]
"""What a task does with the texts of a side; those that are translated are read to write others."""


class Field(Protocol):
    """What the preparation of data needs to know of a field."""

    name: str
    """Name of its column."""
    file_name: FieldFile | None
    """Name of its file in a run directory; None where it learns nothing."""
    requires_known_values: bool
    """Whether every value must be known: such a field also learns from held-out records.

    The values of an open field are tokens, and those that were not learned are unknown.
    """
    unit: str | None
    """What its values are called where they are counted, such as a token; None where they are not."""

    @property
    def description(self) -> str:
        """All settings: two fields of the same description learn the same from the same records."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest dtype that its ids fit into; one with a shape where its values are vectors."""

    @property
    def id_count(self) -> int | None:
        """How many ids there are, from 0; None where its values are none."""

    def observe(self, records: Sequence[Record]) -> None:
        """Look at some of the records to learn from. Raises DataError with the location of one of no use."""

    def settle(self) -> None:
        """Learn from all that were observed. Raises DataError where nothing can be learned."""

    def encode(self, records: Sequence[Record]) -> list[Encoded]:
        """Return the integers of each record. Raises DataError with the location of one that has none."""

    def to_json(self) -> str:
        """Return what has been learned."""

    def load_json(self, text: str) -> None:
        """Take over what `to_json` returned. Raises ModelError for anything else."""


def vocabulary_files(fields: Iterable[Field]) -> dict[FieldFile, str]:
    """Return what was fitted, by the names of the files that keep it in a run directory."""
    return {field.file_name: field.to_json() for field in fields if field.file_name is not None}


def load_fields(fields: Iterable[Field], read: Callable[[FieldFile], str], run: Path) -> None:
    """Take over the `vocabulary_files` of other fields, kept in the directory `run`.

    Raises ModelError for anything else.
    """
    for field in fields:
        if field.file_name is not None:
            text = read(field.file_name)
            try:
                field.load_json(text)
            except ModelError as error:
                raise ModelError(f"{run}/{error}") from error


class TextField(FittedField):
    """The text of a record: its source, or its first target.

    The records of a `stream` are pieces of one long text, which `max_tokens` does not cut.
    """

    requires_known_values = False
    unit: str | None = "token"
    sequential = True
    tokenizer: Tokenizer

    def __init__(
        self, name: str, settings: TokenizerSettings, stream: bool = False, side: Side = "source"
    ) -> None:
        self.name = name
        self.file_name: FieldFile | None = "tokenizer.json" if side == "source" else "target_tokenizer.json"
        self.stream = stream
        self.settings = replace(settings, max_tokens=None) if stream else settings
        self._side = side
        self._learner: VocabularyLearner | None = None

    @property
    def description(self) -> str:
        """The side and the settings of the tokenizer."""
        return f"{self.name} {self._side} {self.settings}"

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest dtype that the vocabulary fits into."""
        return smallest_dtype(len(self.tokenizer))

    @property
    def id_count(self) -> int | None:
        """The size of the vocabulary."""
        return len(self.tokenizer)

    @property
    def reads_source(self) -> bool:
        """Whether its text is the source of a record, just as it is."""
        return type(self) is TextField and self._side == "source"

    def observe(self, records: Sequence[Record]) -> None:
        """Look at the texts of some records. Raises DataError where the target is read and there is none."""
        self._learner = self._learner or learner_of(self.settings)
        self._learner.add([self.text_of(record) for record in records])

    def settle(self) -> None:
        """Learn the vocabulary of the texts."""
        learner, self._learner = self._learner or learner_of(self.settings), None
        self.tokenizer = Tokenizer(self.settings, *learner.learned())

    def encode(self, records: Sequence[Record]) -> list[Encoded]:
        """Tokenise the text of each record.

        Raises DataError where the target is read and there is none, and for a text of more than `LONGEST`
        tokens that is no piece of a stream.
        """
        texts = [self.text_of(record) for record in records]
        if self.stream:
            return self.tokenizer.encode_batch(texts)
        encoded = self.tokenizer.encode_batch(texts, LONGEST)
        for record, text in zip(records, encoded, strict=True):
            require_length(record, len(text.ids), "token")
        return encoded

    def to_json(self) -> str:
        """Return the content of tokenizer.json."""
        return self.tokenizer.to_json()

    def load_json(self, text: str) -> None:
        """Take over a tokenizer.json. Raises ModelError if it is malformed, or cuts texts in another way."""
        name = self.file_name or ""
        self.tokenizer = Tokenizer.from_json(text, name)
        self.tokenizer.check_settings(self.settings, name)

    def check(self, record: Record) -> None:
        """Accept a text of up to `LONGEST` tokens. Raises DataError, with its location, for a longer one."""
        if self.tokenizer.is_longer(record.source, LONGEST):
            require_length(record, LONGEST + 1, "token")

    def step_names(self, record: Record, encoded: Encoded) -> list[str]:
        """Return the tokens as the text has them, unknown ones too; parts of words as the vocabulary does.

        So it does with known characters that a normal form has made of others.
        """
        tokenizer, ids = self.tokenizer, encoded.ids.tolist()
        spelled = [tokenizer.tokens[token] for token in ids]
        if tokenizer.kind not in AS_WRITTEN:
            return spelled
        names = tokenizer.surfaces(self.text_of(record))
        if len(names) != len(ids):
            return spelled
        if tokenizer.kind != "char" or tokenizer.settings.unicode_form == "none":
            return names
        return [names[at] if token == UNK else spelled[at] for at, token in enumerate(ids)]

    def without(self, record: Record, step: int) -> Record:
        """Return a record whose text lacks one of its tokens."""
        return record._replace(source=self.tokenizer.without(self.text_of(record), step))

    def sizes(self) -> TokenSizes:
        """Return the vocabulary's size."""
        return TokenSizes(len(self.tokenizer))

    def lengths(self, column: Column, rows: np.ndarray) -> np.ndarray:
        """Return the tokens of the examples `rows` (B,), (B,)."""
        return column.lengths_of(rows)

    def gather(self, column: Column, rows: np.ndarray, width: int | None = None) -> np.ndarray:
        """Return the ids of some examples, (B, T)."""
        return column.gather(rows, width)

    def text_of(self, record: Record) -> str:
        """Return the text that this field encodes. Raises DataError where it is a target that is missing."""
        if self._side == "source":
            return record.source
        if not record.targets:
            raise DataError(f"{record.location}: no target; give a source and a target in every row")
        return record.targets[0]


class _Labels(Strict, frozen=True):
    """The content of labels.json."""

    multi_label: bool
    labels: list[str]


class LabelField(NamesField):
    """The label of a record, or its labels, numbered in alphabetical order."""

    file_name: FieldFile | None = "labels.json"

    def __init__(self, name: str, multi_label: bool) -> None:
        super().__init__(name)
        self.multi_label = multi_label
        self.labels: list[str] = []
        self._paths: dict[str, str] = {}  # of a file that has the label

    @property
    def known(self) -> Sequence[str]:
        """The labels of the training part."""
        return self.labels

    @property
    def description(self) -> str:
        """Whether there may be several labels."""
        return f"{self.name} label multi_label={self.multi_label} of the training part"

    def observe(self, records: Sequence[Record]) -> None:
        """Gather the labels of some records. Raises DataError as `encode` does, but for unknown ones."""
        self._paths |= {label: record.path for record in records for label in self.names_of(record)}

    def settle(self) -> None:
        """Number the labels. Raises DataError if there is nothing to tell apart."""
        paths, self._paths = self._paths, {}
        self.labels = sorted(paths)
        if not self.labels:
            raise DataError(
                "the training data have no label; name the column that holds it with `data.label_column`"
            )
        if len(self.labels) == 1 and not self.multi_label:
            what = f"{paths[self.labels[0]]}: every training example has the label {self.labels[0]!r}"
            advice = "lower `data.valid_fraction` if others were held out"
            raise DataError(f"{what}; give examples of at least two labels, or {advice}")

    def encode(self, records: Sequence[Record]) -> list[Encoded]:
        """Return the label numbers of each record, ascending; those of unknown labels come last.

        Raises DataError with the location of a record which has not exactly one, unless there may be several.
        """
        named = ((record, self.names_of(record)) for record in records)
        return [Encoded(np.unique(ids) if len(ids) > 1 else ids) for ids in self.numbers(named)]

    def to_json(self) -> str:
        """Return the content of labels.json."""
        return json.dumps({"multi_label": self.multi_label, "labels": self.labels}, ensure_ascii=False)

    def load_json(self, text: str) -> None:
        """Take over a labels.json. Raises ModelError if it is malformed."""
        content = read_as(_Labels, text, "labels.json")
        labels = content.labels
        if content.multi_label is not self.multi_label or not labels or labels != sorted(set(labels)):
            raise ModelError(f"labels.json: does not hold the labels of this model; {COPY}")
        self.labels = labels

    def names_of(self, record: Record) -> tuple[str, ...]:
        """Return the labels of a record. Raises DataError unless it is one, or there may be several."""
        count = len(record.labels)
        if count != 1 and not self.multi_label:
            what, fix, several = (f"{count} labels, expected 1", "fix the row", "train with several by")
            if count == 0:
                what, fix, several = (
                    "no label",
                    "give it one or remove the row",
                    "train with any number of labels a row by",
                )
            columns = "columns with `data.text_column` and `data.label_column`"
            advice = f"{fix}, choose {columns}, or {several} `data.multi_label=true`"
            raise DataError(f"{record.location}: {what}; {advice}")
        return record.labels
