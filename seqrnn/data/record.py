"""One example as a reader found it, before it becomes numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

NO_FIELDS: Mapping[str, Any] = MappingProxyType({})


class Record(NamedTuple):
    """One example.

    `source` is the text read, `targets` what shall come out of it: a label, several labels,
    or the accepted references of a text; `path` and `line` (from 1) say where it is; `fields`
    are the fields of a JSON line, handed through to the answer. Where numbers are read instead of
    a text, `steps` holds those of each time step. `lines` are those of its tokens, where each has its own.
    """

    source: str
    targets: tuple[str, ...] = ()
    path: str = "stdin"
    line: int = 0
    fields: Mapping[str, Any] = NO_FIELDS
    steps: Sequence[Any] | None = None
    lines: Sequence[int] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The targets as labels, to which the blanks around them do not belong; blank ones are none."""
        return tuple([label for target in self.targets if (label := target.strip())])

    @property
    def is_blank(self) -> bool:
        """Whether nothing is to be read."""
        return not (self.source.strip() if self.steps is None else len(self.steps))

    @property
    def length(self) -> int:
        """Characters of the input, or its time steps."""
        return len(self.source) if self.steps is None else len(self.steps)

    @property
    def size(self) -> int:
        """Characters and time steps that it holds."""
        return len(self.source) + sum(map(len, self.targets)) + (0 if self.steps is None else len(self.steps))

    @property
    def location(self) -> str:
        """Where the example is, as `FILE:LINE`."""
        return f"{self.path}:{self.line}"


def size_of(record: Record) -> int:
    """Return the `size` of a record."""
    return record.size
