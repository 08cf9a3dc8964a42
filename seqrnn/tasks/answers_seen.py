"""What the right answers of some data are, gathered as they are read: names with counts, numbers, notes.

Memory is bounded: of names, by `MAX_NAMES` different ones; of numbers, by a sample that is spread evenly.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from seqrnn.data.distribution import distribution
from seqrnn.data.fields.names import Location, location_of
from seqrnn.data.fields.number_field import number_of
from seqrnn.data.record import Record
from seqrnn.data.spread_sample import SpreadSample
from seqrnn.errors import DataError

MAX_NAMES = 100_000  # different names that are counted
MAX_LISTED = 1000  # names that a result lists
ONCE = 5  # names seen once whose locations are told
NUMBERS_HELD = 1_000_000


class AnswersSeen(ABC):
    """Takes the records of data that are inspected, and then says what their right answers are.

    `refused` says why records cannot be learned from, the first few of `refusals`.
    """

    MAX_REFUSALS = 5

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.refusals = 0

    def add(self, records: Sequence[Record]) -> list[bool]:
        """Take some records; return which of them can be learned from."""
        return list(map(self._accepts, records))

    def _accepts(self, record: Record) -> bool:
        try:
            self._take(record)
        except DataError as error:
            self.refuse(error)
            return False
        return True

    def refuse(self, error: DataError) -> None:
        """Take note of a record that cannot be learned from."""
        self.refusals += 1
        if len(self.refused) < self.MAX_REFUSALS:
            self.refused.append(str(error))

    @abstractmethod
    def _take(self, record: Record) -> None:
        """Take one record. Raises DataError, with its location, where it has no answer of the right kind."""

    def result(self) -> dict[str, Any]:
        """Return what was seen, in values that JSON can hold; nothing where there is nothing to say."""
        return {}


class NothingSeen(AnswersSeen):
    """Of a task whose answers are in its input."""

    def add(self, records: Sequence[Record]) -> list[bool]:
        """Accept all."""
        return [True] * len(records)

    def _take(self, record: Record) -> None:
        """Accept any record."""


class TargetsSeen(AnswersSeen):
    """Texts to be written: every record must have one."""

    def _take(self, record: Record) -> None:
        if not record.targets:
            raise DataError(f"{record.location}: no target; give a source and a target in every row")


class NamesSeen(AnswersSeen):
    """Names, such as labels (`noun`) that `names_of` finds in a record, and how often each occurs."""

    def __init__(self, noun: str, names_of: Callable[[Record], Sequence[str]]) -> None:
        super().__init__()
        self._noun = noun
        self._names_of = names_of
        self._counts: Counter[str] = Counter()
        self._first: dict[str, Location] = {}
        self._uncounted = 0

    def _take(self, record: Record) -> None:
        for index, name in enumerate(self._names_of(record)):
            if name in self._first:
                self._counts[name] += 1
            elif len(self._first) < MAX_NAMES:
                self._counts[name] = 1
                self._first[name] = location_of(record, index)
            else:
                self._uncounted += 1

    def result(self) -> dict[str, Any]:
        """Return `labels`: how many different ones, the count of each, the rest, and where rare ones are."""
        ranked = sorted(self._counts.items(), key=lambda each: (-each[1], each[0]))
        once = [name for name, count in ranked if count == 1]
        return {
            "labels": {
                "noun": self._noun,
                "distinct": len(ranked),
                "complete": not self._uncounted,
                "total": self._counts.total() + self._uncounted,
                "counts": dict(ranked[:MAX_LISTED]),
                "others": sum(count for _, count in ranked[MAX_LISTED:]) + self._uncounted,
                "seen_once": len(once),
                "seen_once_at": {name: str(self._first[name]) for name in once[:ONCE]},
            }
        }


class NumbersSeen(AnswersSeen):
    """Numbers, and how they are distributed."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: SpreadSample[float] = SpreadSample(NUMBERS_HELD)

    def _take(self, record: Record) -> None:
        self._numbers.add(number_of(record), 1)

    def result(self) -> dict[str, Any]:
        """Return `numbers`, a `Distribution`; of a sample, unless it is `complete`."""
        found = distribution(np.array(self._numbers.items, dtype=np.float64))
        return {"numbers": asdict(found) | {"complete": self._numbers.is_all}} if found else {}


class NotesSeen(AnswersSeen):
    """The keys that sound in music."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: set[int] = set()
        self._steps = self._notes = self._silent = 0

    def _take(self, record: Record) -> None:
        for step in record.steps if record.steps is not None else ():
            if isinstance(step, list) and all(type(key) is int for key in step):
                self._keys.update(step)
                self._notes += len(step)
                self._silent += not step
                self._steps += 1

    def result(self) -> dict[str, Any]:
        """Return `notes`: which keys sound, how many at once on average, and how many steps are silent."""
        if not self._keys:
            return {}
        return {
            "notes": {
                "lowest": min(self._keys),
                "highest": max(self._keys),
                "different": len(self._keys),
                "mean_per_step": self._notes / self._steps,
                "silent_steps": self._silent,
                "steps": self._steps,
            }
        }
