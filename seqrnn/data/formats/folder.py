"""Folders of examples: a file an example, and the folder that it is in names its class."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from seqrnn.data.answer import AnswerStyle
from seqrnn.data.formats.answer_writer import AnswerWriter
from seqrnn.data.formats.folder_listing import Listing, list_folder
from seqrnn.data.formats.format import OpenLines
from seqrnn.data.formats.records import TableFormat
from seqrnn.data.formats.row_text import RowTextWriter, cells_line
from seqrnn.data.formats.table import Row, Table
from seqrnn.data.formats.text_files import text_of_file
from seqrnn.data.lines import read_chunks
from seqrnn.data.record import Record
from seqrnn.errors import DataError

if TYPE_CHECKING:
    from seqrnn.data.source import Source

PATH, LABEL = "path", "label"


class Folder(TableFormat):
    """Texts, images or arrays in sub-folders that bear the names of their classes; or files without any."""

    line_is_row = False
    row_noun = "file"
    has_lines = False
    is_folder = True
    answered_as = "tsv"
    columns_are_known = True
    targets_are_classes = True

    def records(self, path: str, source: Source, open_lines: OpenLines) -> Iterator[Record]:
        """Yield a record for each file, of each class in turn. Raises DataError for an unreadable one."""
        listing = list_folder(path, source.kind, needs_classes=True)
        for label, name in listing.in_turn():
            yield _record(listing, label, name, open_lines)

    def table(self, path: str, source: Source, open_lines: OpenLines) -> Table:  # noqa: ARG002
        """Return the table of the files by name: their paths in the folder and, if there are any, classes."""
        listing = list_folder(path, source.kind)
        names = [PATH, LABEL] if listing.has_classes else [PATH]
        return Table(
            _rows(listing, names), names, has_header=True, delimiter="\t", opening=[cells_line(names)]
        )

    def writer(self, table: Table, style: AnswerStyle) -> AnswerWriter:
        """Return what writes the table as TSV."""
        return RowTextWriter(table, style, cells_line)

    def answerable(
        self, table: Table, path: str, source: Source, open_lines: OpenLines
    ) -> Iterator[tuple[Row, Record | None]]:
        """Yield each row of `table` with the input in its file."""
        listing = list_folder(path, source.kind)
        for row in table.rows:
            label, name = os.path.split(row.fields[PATH])
            try:
                yield row, _record(listing, label, name, open_lines)
            except DataError as error:
                yield row._replace(error=str(error)), None

    def notes(self, path: str, source: Source) -> list[str]:
        """Say which files of the folder are read, and what is left out."""
        return [list_folder(path, source.kind).told()]


def folder_chunks(path: str, source_kind: str, taken: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the inputs of a folder: the names of the files that hold `source_kind`, and their bytes."""
    listing = list_folder(path, source_kind)
    for name in listing.paths():
        yield os.path.relpath(name, path).encode("utf-8", "surrogateescape") + b"\0"
        yield from read_chunks(name, taken)


def _rows(listing: Listing, names: Sequence[str]) -> Iterator[Row]:
    for number, (label, name) in enumerate(listing.in_order(), start=1):
        fields = {PATH: os.path.join(label, name)} | ({LABEL: label} if label else {})
        yield Row(number, fields, None, cells_line(fields.get(name, "") for name in names))


def _record(listing: Listing, label: str, name: str, open_lines: OpenLines) -> Record:
    path = os.path.join(listing.path, label, name)
    text = text_of_file(path, open_lines) if listing.kind == "text" else name
    return Record(text, (label,) if label else (), path, 1, {PATH: os.path.join(label, name)})
