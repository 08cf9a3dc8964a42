"""Plain text: one long text, or one example a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seqrnn.data.formats.format import Format, OpenLines
from seqrnn.data.lines import file_name
from seqrnn.data.record import Record

if TYPE_CHECKING:
    from seqrnn.data.source import Source


class Text(Format):
    r"""One long text: a record is a line with its `\n` put back, the last one too."""

    is_one_text = True
    line_is_source = True

    def records(self, path: str, source: Source, open_lines: OpenLines) -> Iterator[Record]:  # noqa: ARG002
        """Yield the lines, blank ones included."""
        name = file_name(path)
        return (Record(line.text + "\n", (), name, line.number) for line in open_lines(path))


class Lines(Format):
    """One example a line, without a target."""

    line_is_source = True

    def records(self, path: str, source: Source, open_lines: OpenLines) -> Iterator[Record]:  # noqa: ARG002
        """Yield each line as an example."""
        name = file_name(path)
        return (Record(line.text, (), name, line.number) for line in open_lines(path))
