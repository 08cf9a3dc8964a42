"""What a file format must offer: a reader, its extensions, and what its first lines look like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from seqrnn.data.lines import Line
from seqrnn.data.record import Record

if TYPE_CHECKING:
    from seqrnn.data.source import Source

HEAD_ROWS = 1000
"""Most rows of a file that are looked at to infer what it holds."""

OpenLines = Callable[[str], Iterator[Line]]  # the decoded lines of the file at a path


class RowError(Exception):
    """Something is wrong with the row at `line`; `RecordReader` adds the name of the file."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


class Format(ABC):
    """One way in which files are laid out; a line in `catalog.FORMATS` makes it known.

    `line_is_row` tells whether each line can be read by itself, so that a stream is answered as it
    comes; where it cannot, `row_noun` is what an example is called.
    """

    extensions: ClassVar[tuple[str, ...]] = ()
    line_is_row: ClassVar[bool] = True
    row_noun: ClassVar[str] = "line"
    line_is_object: ClassVar[bool] = False  # of JSON
    is_json: ClassVar[bool] = False  # in whatever lines
    answered_as: ClassVar[str | None] = None  # the format that answers are written in, if it is another
    is_unmistakable: ClassVar[bool] = False  # from its lines: nothing else looks like it
    is_one_text: ClassVar[bool] = False  # blank lines are data, and the last part is held out
    line_is_source: ClassVar[bool] = False  # just as it is, without a target
    is_cut_between_lines: ClassVar[bool] = False  # into parts that can be read, though rows are no lines
    has_quotes: ClassVar[bool] = False  # within which a row goes on in the next line
    has_columns: ClassVar[bool] = False  # of which some hold source and target
    columns_are_known: ClassVar[bool] = False  # which they are need not be inferred
    has_numbers: ClassVar[bool] = False  # of columns, the same in all rows: a line does not name its cells
    has_lines: ClassVar[bool] = True  # of text, in some encoding
    is_folder: ClassVar[bool] = False  # of files, and no file
    targets_are_classes: ClassVar[bool] = False  # whatever they look like

    def matches(self, lines: Sequence[str]) -> bool:  # noqa: ARG002
        """Whether the first lines of a file look like this format; asked in the catalogue's order."""
        return False

    def columns_of(self, lines: Sequence[str]) -> Mapping[str, str]:  # noqa: ARG002
        """Return `text_column` and `label_column` where the first lines show that they are not the usual."""
        return {}

    def notes(self, path: str, source: Source) -> list[str]:  # noqa: ARG002
        """Return what to tell a user of how the file at `path` is read."""
        return []

    @abstractmethod
    def records(self, path: str, source: Source, open_lines: OpenLines) -> Iterator[Record]:
        """Yield a record for each row of the file at `path`, for a blank row one without text.

        Raises RowError for a row that is malformed, DataError for a file that is.
        """
