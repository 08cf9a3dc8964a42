"""What may be read of an example: each kind says all that differs, so that nothing asks for its name."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, ClassVar, Literal

from seqrnn.catalog import SOURCES, load

if TYPE_CHECKING:
    from seqrnn.config import DataConfig
    from seqrnn.data.fields.source_fields import SourceField
    from seqrnn.data.record import Record

FileKind = Literal["text", "image", "array"]


class SourceKind:
    """One kind of source; a line in `catalog.SOURCES` makes it known, under the name of `data.source_kind`.

    The defaults are those of a text.
    """

    settings: ClassVar[frozenset[str]] = frozenset()  # keys that say something to it, but not to every kind
    has_tokenizer: ClassVar[bool] = False  # whose kind of token the data decide
    sequential: ClassVar[bool] = True  # an example has time steps, and not just one value
    has_numbers: ClassVar[bool] = False  # in the field of a JSON object that bears the name of the kind
    in_columns: ClassVar[bool] = False  # numbers in the columns of a table
    file_kind: ClassVar[FileKind] = "text"  # what is in the files that hold an example each
    row_field: ClassVar[str] = "text"  # of a JSON object, that holds a row that came as plain text
    drawn: ClassVar[str | None] = None  # as the shape of a task shows it; the name, if None

    def field(self, data: DataConfig) -> SourceField:
        """Make the field, called "source", of what a configuration says is read."""
        raise NotImplementedError

    def names_file(self, record: Record) -> bool:  # noqa: ARG002
        """Whether the input of a record is the path of a file."""
        return False


@cache
def kind_named(name: str) -> SourceKind:
    """Return the kind of source of a name in the catalogue; as long as it is "auto", a text."""
    made: SourceKind = load(SOURCES["text" if name == "auto" else name])()
    return made


def source_field(data: DataConfig) -> SourceField:
    """Make the field, called "source", of what a configuration says is read."""
    return kind_named(data.source_kind).field(data)


@cache
def number_kinds() -> tuple[str, ...]:
    """Return the kinds that are the numbers in a field of their name."""
    return tuple(name for name in SOURCES if kind_named(name).has_numbers)


def fields_of(kind: str) -> tuple[str, ...]:
    """Return the fields that may hold the numbers of a kind: that of its name; of kind "auto" any."""
    return number_kinds() if kind == "auto" else (kind,)


def kind_of_files(file_kind: FileKind) -> str:
    """Return the kind of source that reads such files."""
    return next(name for name in SOURCES if kind_named(name).file_kind == file_kind)
