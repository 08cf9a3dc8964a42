"""Plain text: one long text, or one example a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from seqrnn.data.lines import Line
from seqrnn.data.record import Record

if TYPE_CHECKING:
    from seqrnn.data.source import Source


def read_text(name: str, lines: Iterable[Line], _source: Source) -> Iterator[Record]:
    r"""Yield the lines of one long text, each with its `\n` put back, the last one too."""
    return (Record(line.text + "\n", (), name, line.number) for line in lines)


def read_examples(name: str, lines: Iterable[Line], _source: Source) -> Iterator[Record]:
    """Yield each line as an example that has no target."""
    return (Record(line.text, (), name, line.number) for line in lines)
