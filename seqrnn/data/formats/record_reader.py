"""The records of a source, one reader a format family."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from seqrnn.data.formats.arrays import read_npz
from seqrnn.data.formats.conll import read_conll, read_conllu
from seqrnn.data.formats.fasttext import read_fasttext
from seqrnn.data.formats.jsonl import read_jsonl
from seqrnn.data.formats.parallel import read_parallel
from seqrnn.data.formats.series import read_series
from seqrnn.data.formats.table import read_csv, read_tsv
from seqrnn.data.formats.text import read_examples, read_text
from seqrnn.data.lines import Line, file_name, read_lines
from seqrnn.data.record import Record
from seqrnn.data.source import Source
from seqrnn.errors import UsageError

Reader = Callable[[str, Iterable[Line], Source], Iterator[Record]]

READERS: dict[str, Reader] = {
    "text": read_text,
    "lines": read_examples,
    "tsv": read_tsv,
    "csv": read_csv,
    "jsonl": read_jsonl,
    "fasttext": read_fasttext,
    "conll": read_conll,
    "conllu": read_conllu,
}


class RecordReader:
    """The records of a source, in the same order at every pass, without blank ones.

    After a pass, `blank` is how many rows were passed over because they had no text, `replaced`
    how many bytes were not UTF-8, and `oversize` how many lines were too long to be kept (they
    are blank rows, too).
    """

    def __init__(self, source: Source, taken: Callable[[int], None] = lambda _: None) -> None:
        if source.format not in {*READERS, "npz", "parallel"}:
            raise UsageError("how the files are laid out is not known; pass --format")
        self._source = source
        self._taken = taken
        self._reset()

    def _reset(self) -> None:
        self.blank = self.replaced = self.oversize = 0

    def __iter__(self) -> Iterator[Record]:
        """Start a pass; raises DataError at the first row that cannot be read."""
        self._reset()
        a_blank_line_is_data = self._source.format == "text"
        for record in self._rows():
            if a_blank_line_is_data or not record.is_blank:
                yield record
            else:
                self.blank += 1

    def _rows(self) -> Iterator[Record]:
        source = self._source
        if source.target_path is not None:
            return read_parallel(source.paths[0], source.target_path, self._lines, source)
        if source.format == "npz":
            return chain.from_iterable(read_npz(path, source) for path in source.paths)
        numeric = source.kind in {"vector", "vectors"} and source.format in {"tsv", "csv"}
        read = read_series if numeric else READERS[source.format]
        return chain.from_iterable(read(file_name(path), self._lines(path), source) for path in source.paths)

    def _lines(self, path: str) -> Iterator[Line]:
        for line in read_lines(path, self._source.encoding_errors, self._taken):
            self.replaced += line.replaced
            self.oversize += line.error is not None
            yield line


def read_records(source: Source, taken: Callable[[int], None] = lambda _: None) -> RecordReader:
    """Return the records of `source`: iterate over it, any number of times.

    `taken` is told how many bytes of a file were read, whenever some were.
    Raises UsageError if the format is not resolved. stdin and FIFOs give one pass; see `spool`.
    """
    return RecordReader(source, taken)
