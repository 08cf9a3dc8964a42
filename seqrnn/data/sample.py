"""The first records of a source, read as they would be for training, and what they tell a task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from statistics import mode
from typing import TypeVar

from seqrnn.data.column_sample import ColumnSample
from seqrnn.data.fields.named_files import names_array, names_image
from seqrnn.data.fields.source_kind import number_kinds
from seqrnn.data.fields.steps import steps_of
from seqrnn.data.formats.column_names import names_texts
from seqrnn.data.formats.format import HEAD_ROWS
from seqrnn.data.formats.registry import format_named
from seqrnn.data.record import Record
from seqrnn.data.source import Source
from seqrnn.data.text.tokens import split_tags, split_tokens

MOST_SLIPS = 0.2  # of the rows: some images of no known format, some sentences with a tag too few
MANY_TAGS = 5  # fewer are few, however many tokens there are
MOST_DISTINCT_TAGS = 0.25  # tags a token, where a row does not fit: more would be words of another sentence
HEAD_CHARACTERS = 1 << 20  # as much as one read of the file brings; rows may be whole reviews

T = TypeVar("T")


def head_of(items: Iterable[T], characters: Callable[[T], int]) -> Iterator[T]:
    """Yield the first `HEAD_ROWS` items, or fewer if they have many characters."""
    total = 0
    for item in islice(items, HEAD_ROWS):
        yield item
        total += characters(item)
        if total > HEAD_CHARACTERS:
            return


@dataclass(frozen=True)
class Sample:
    """The first records of the files of `source`, which says where in them source and targets are.

    `name` is what messages call the file that holds the targets.
    """

    name: str
    source: Source
    records: Sequence[Record]

    @cached_property
    def kind(self) -> str:
        """The source kind: the user's word, or what the records hold: text, image, vector, vectors, notes."""
        if self.source.kind != "auto":
            return self.source.kind
        if self.held != "numbers":
            return "image" if self.held == "images" else "text"
        first = self.records[0]
        named = [name for name in number_kinds() if isinstance(first.fields.get(name), list)]
        if named and self.source.text_column is None:
            return named[0]
        single = all(len(steps_of(record)) == 1 for record in self.records)
        return "vector" if single and not self._differ_in_length() else "vectors"

    def _differ_in_length(self) -> bool:
        """Whether lists of single numbers are of several lengths, in more rows than slips would be."""
        flat = [record.steps for record in self.records if isinstance(record.steps, list)]
        lengths = [len(steps[0]) for steps in flat if isinstance(steps[0], list)]
        usual = mode(lengths or [0])
        return not nearly_all(length == usual for length in lengths)

    @cached_property
    def held(self) -> str:
        """What the source side holds, in the plural: numbers, images or texts."""
        if self.records[0].steps is not None or all(names_array(record) for record in self.records):
            return "numbers"
        return "images" if nearly_all(map(names_image, self.records)) else "texts"

    @cached_property
    def sources(self) -> ColumnSample:
        """The texts of the source side."""
        return ColumnSample("source", "", [record.source for record in self.records])

    @cached_property
    def targets(self) -> ColumnSample:
        """All targets of all records."""
        title = "" if self.source.header == "no" else self.source.label_column or ""
        return ColumnSample("target", title, [target for record in self.records for target in record.targets])

    @cached_property
    def tags(self) -> list[str]:
        """The targets, each cut into tags."""
        return [tag for record in self.records for tag in split_tags(record.targets)]

    @property
    def has_few_tags(self) -> bool:
        """Whether there are much fewer different tags than tokens, as translations of words have it."""
        tokens = {token for record in self.records for token in split_tokens(record.source)}
        return len(set(self.tags)) < max(MANY_TAGS, len(tokens) / 2)

    @property
    def rows(self) -> str:
        """How many records these are, as a phrase."""
        return f"in the first {len(self.records)} rows" if len(self.records) > 1 else "in its only row"

    @property
    def tokens_are_given(self) -> bool:
        """Whether the records bring their tokens and their tags as lists, or a row each."""
        if self.source.sentence_column is not None:
            return True
        lists = [value for value in self.records[0].fields.values() if isinstance(value, list)]
        return len(lists) > 1

    @property
    def targets_are_classes(self) -> bool:
        """Whether the format says so, whatever the targets look like."""
        return format_named(self.source.format).targets_are_classes

    @cached_property
    def is_aligned(self) -> bool:
        """Whether nearly every record has one target for each token, as no labels or translations have it."""
        if self.targets_are_classes or names_texts(self.targets.title):
            return False
        if self.source.sentence_column is not None:
            return True
        pairs = [
            (len(split_tokens(record.source)), len(split_tags(record.targets))) for record in self.records
        ]
        fitting = [tokens == tags for tokens, tags in pairs]
        several = [
            tokens == tags for tokens, tags in pairs if tokens > 1
        ]  # one label fits one token by chance
        if not nearly_all(several) or not any(several):
            return False
        few = len(set(self.tags)) <= MOST_DISTINCT_TAGS * len(self.tags)
        by_chance = self.source.format in {"tsv", "csv"}  # which have tags in a cell less often than texts
        return (few or not by_chance) and (all(fitting) or (few and nearly_all(fitting)))


def nearly_all(found: Iterable[bool]) -> bool:
    """Whether what is not so is few enough to be slips, which are told when those rows are read."""
    answers = list(found)
    return answers.count(False) <= MOST_SLIPS * len(answers)


def count(number: int, noun: str) -> str:
    """Return a number of different things in words."""
    return f"only one {noun}" if number == 1 else f"{number} different {noun}s"
