"""The records of a source, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from seqrnn.catalog import FORMATS
from seqrnn.data.formats.format import Format, RowError
from seqrnn.data.formats.registry import format_named
from seqrnn.data.lines import Line, file_name
from seqrnn.data.record import Record
from seqrnn.data.source import Source
from seqrnn.errors import DataError, UsageError

FEW = 5  # locations of blank rows that are remembered


class RecordReader:
    """The records of a source, in the same order at every pass, without blank ones.

    After a pass, `blank` is how many rows were passed over because they had no text, `blank_at` where the
    first few of them are, `replaced`
    how many bytes were not UTF-8, and `oversize` how many lines were too long to be kept (they
    are blank rows, too).
    """

    def __init__(self, source: Source, taken: Callable[[int], None] = lambda _: None) -> None:
        if source.format not in FORMATS:
            raise UsageError("how the files are laid out is not known; pass `data.format`")
        self._source = source
        self._taken = taken
        self._format: Format = format_named(source.format)
        self._reset()

    def _reset(self) -> None:
        self.blank = self.replaced = self.oversize = 0
        self.blank_at: list[str] = []

    def __iter__(self) -> Iterator[Record]:
        """Start a pass; raises DataError at the first row that cannot be read."""
        self._reset()
        for path in self._source.paths:
            for record in self._records(path):
                if self._format.is_one_text or not record.is_blank:
                    yield record
                else:
                    self.blank += 1
                    if len(self.blank_at) < FEW:
                        self.blank_at.append(record.location)

    def _records(self, path: str) -> Iterator[Record]:
        try:
            yield from self._format.records(path, self._source, self._lines)
        except RowError as error:
            raise DataError(f"{file_name(path)}:{error.line}: {error}") from error

    def _lines(self, path: str) -> Iterator[Line]:
        for line in self._source.lines(path, self._taken):
            self.replaced += line.replaced
            self.oversize += line.error is not None
            yield line


def read_records(source: Source, taken: Callable[[int], None] = lambda _: None) -> RecordReader:
    """Return the records of `source`: iterate over it, any number of times.

    `taken` is told how many bytes of a file were read, whenever some were.
    Raises UsageError if the format is not resolved. stdin and FIFOs give one pass; see `spool`.
    """
    return RecordReader(source, taken)
