"""Files that are one text each, and tables that name such files instead of holding the texts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from seqrnn.data.fields.named_files import (
    ARRAY_EXTENSION,
    IMAGE_EXTENSIONS,
    find_named_file,
    folder_of,
)
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.formats.format import OpenLines, RowError
from seqrnn.data.lines import LINE_LIMIT
from seqrnn.data.record import Record
from seqrnn.errors import DataError

if TYPE_CHECKING:
    from seqrnn.data.source import Source

T = TypeVar("T")

LOOKED_AT = 20  # cells
MOSTLY = 0.8  # share of them that name files, or look so
TEXT_EXTENSION = ".txt"


def text_of_file(path: str, open_lines: OpenLines) -> str:
    r"""Return the whole text of the file at `path`, its lines apart by `\n`.

    Raises DataError, with the path, where it cannot be read and where it is longer than a line may be.
    """
    lines, size = [], 0
    for line in open_lines(path):
        size += len(line.text) + 1
        if size > LINE_LIMIT or line.error is not None:
            raise DataError(f"{path}: a text of over 16 MiB; break it up")
        lines.append(line.text)
    return "\n".join(lines)


def name_text_files(cells: Sequence[str], folder: str) -> bool:
    """Whether cells are paths, from `folder`, of files that may hold texts: most of the first are there."""
    looked_at = [cell for cell in cells if cell.strip()][:LOOKED_AT]
    found = sum(_may_be_path(cell) and os.path.isfile(os.path.join(folder, cell)) for cell in looked_at)
    return bool(looked_at) and found >= MOSTLY * len(looked_at)


def with_texts(records: Iterator[Record], source: Source, open_lines: OpenLines) -> Iterator[Record]:
    """Put the text of a file instead of its path, where `source` says that, or the first records do.

    Raises DataError, with the location, for a file that cannot be read.
    """
    head, failure = first_of(records, LOOKED_AT)
    in_files = are_in_files(head, source)
    for record in chain(head, () if failure else records):
        yield with_text(record, open_lines) if in_files else record
    if failure is not None:
        raise failure


def first_of(
    rows: Iterator[T], most: int, errors: tuple[type[Exception], ...] = (RowError,)
) -> tuple[list[T], Exception | None]:
    """Take the first rows, at most so many, and what was wrong with the one after them, if of `errors`."""
    taken: list[T] = []
    try:
        for row in islice(rows, most):  # one by one: what comes before an error is not lost
            taken.append(row)
    except errors as error:
        return taken, error
    return taken, None


def are_in_files(records: Sequence[Record], source: Source) -> bool:
    """Whether the first records of a source name files of texts.

    Raises DataError where they do as it seems, but none of the files is there.
    """
    if source.text_in != "auto" or not kind_named(source.kind).has_tokenizer:
        return source.text_in == "files"
    cells = [record.source for record in records if record.steps is None and not record.is_blank]
    if not cells or name_text_files(cells, folder_of(records[0].path)):
        return bool(cells)
    named = [cell for cell in cells if cell.lower().endswith(TEXT_EXTENSION) and len(cell.split()) == 1]
    if len(named) < MOSTLY * len(cells):
        return False
    for record in records:
        try:
            find_named_file(record)
        except DataError as error:
            raise DataError(f"{error}; `data.text_in=cells` reads the names themselves") from error
    return True


def with_text(record: Record, open_lines: OpenLines) -> Record:
    """Return the record with the text of the file that it names; a blank one names none."""
    if record.is_blank:
        return record
    path = find_named_file(record).path
    try:
        return record._replace(source=text_of_file(path, open_lines))
    except DataError as error:
        raise DataError(f"{record.location}: {error}") from error


def _may_be_path(cell: str) -> bool:
    extension = os.path.splitext(cell)[1].lower()
    return bool(extension or "/" in cell) and extension not in {*IMAGE_EXTENSIONS, ARRAY_EXTENSION}
