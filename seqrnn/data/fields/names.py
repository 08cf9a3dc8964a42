"""Fields whose values are names: the classes of examples, the tags of tokens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.fields.fitting import FittedField
from seqrnn.data.record import Record
from seqrnn.data.wording import listed

SHOWN = 5  # names of a kind that a message lists


class Location(NamedTuple):
    """Where something was met first: a file by its name in messages, and a line, from 1."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class Remark(NamedTuple):
    """Something a user should know of the training data."""

    location: Location
    text: str


class UnknownName(NamedTuple):
    """A name that training did not have: how often it is a right answer, and where first."""

    name: str
    times: int
    location: Location


class NamesField(FittedField, ABC):
    """A field that numbers the names of the training part; other names come after those, as they are met.

    So a name that training did not have is a right answer that no model gives.
    """

    requires_known_values = False
    unit: str | None = None

    def __init__(self, name: str) -> None:
        self.name = name
        self.unknown: dict[str, Location] = {}
        self.remarks: list[Remark] = []

    @property
    @abstractmethod
    def known(self) -> Sequence[str]:
        """The names that were learned, in alphabetical order."""

    @abstractmethod
    def names_of(self, record: Record) -> Sequence[str]:
        """Return the names of a record. Raises DataError, with its location, where they cannot be learned."""

    @property
    def names(self) -> list[str]:
        """All names by their numbers."""
        return [*self.known, *self.unknown]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Room for as many unknown names as there may come."""
        return np.dtype(np.int32)

    @property
    def id_count(self) -> int | None:
        """How many names there are, those among them that training did not have."""
        return len(self.names)

    def numbers(self, named: Iterable[tuple[Record, Sequence[str]]]) -> Iterator[NDArray[np.int32]]:
        """Yield the numbers of the names of each record, in their order."""
        numbers = {name: number for number, name in enumerate(self.names)}
        for record, names in named:
            for index, name in enumerate(names):
                if name not in numbers:
                    numbers[name] = len(numbers)
                    self.unknown[name] = location_of(record, index)
            yield np.array([numbers[name] for name in names], dtype=np.int32)

    def count_unknown(self, ids: NDArray[Any]) -> NDArray[np.int64]:
        """Count among the numbers of some examples each of the unknown names that there are so far."""
        beyond = ids[ids >= len(self.known)] - len(self.known)
        return np.bincount(beyond, minlength=len(self.unknown))


def names_fields(fields: Iterable[object]) -> list[NamesField]:
    """Return those of some fields that number names."""
    return [field for field in fields if isinstance(field, NamesField)]


def location_of(record: Record, index: int) -> Location:
    """Return where the name of a record's token `index` is, as exactly as its reader has told."""
    return Location(record.path, record.lines[index] if index < len(record.lines) else record.line)


def told_unknown(unknown: Sequence[UnknownName]) -> list[str]:
    """Say in a sentence which names training did not have; say nothing where there are none."""
    found = sorted((each for each in unknown if each.times), key=lambda each: -each.times)
    if not found:
        return []
    names = [f"{each.name!r} ({each.times:,}, first at {each.location})" for each in found]
    total = sum(each.times for each in found)
    labels = "1 label" if total == 1 else f"{total:,} labels"
    return [f"{labels} that training did not have, counted as wrong: {listed(names, SHOWN)}"]


def unknown_names(field: NamesField, counts: NDArray[np.int64]) -> list[UnknownName]:
    """Put names, locations and counts (U,) of a field together."""
    locations: Mapping[str, Location] = field.unknown
    return [
        UnknownName(name, int(count), location)
        for (name, location), count in zip(locations.items(), counts, strict=True)
    ]
