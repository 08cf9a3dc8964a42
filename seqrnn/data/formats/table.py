"""Tables: rows of named or numbered columns, whatever file they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from seqrnn.data.formats.column_names import column_number
from seqrnn.data.formats.format import RowError
from seqrnn.data.formats.number_marks import NumberMarks
from seqrnn.errors import UsageError


class Row(NamedTuple):
    """The cells of a row by the keys of their columns; none where the row is blank.

    `error` says why a malformed row has none. `raw` is the row as its file has it, for what writes the
    file again: its text, or whatever the format keeps.
    """

    line: int
    fields: Mapping[str, Any]
    error: str | None = None
    raw: Any = ""

    @property
    def is_blank(self) -> bool:
        """Whether it has no cells, and is not malformed."""
        return not self.fields and self.error is None

    def checked(self) -> Row:
        """Return the row itself; raises RowError where it is malformed."""
        if self.error is not None:
            raise RowError(self.line, self.error)
        return self


class Table(Struct, frozen=True):
    """Rows that have the same columns, or, where `names` is None, objects with names of their own.

    The key of a column is its name; one that has no name of its own, or a number as its name, has its
    number, from 1, as its key. `ragged` rows may have more columns, which are further targets. `opening`
    is the text of the lines before the first row: those that name the columns, and any before them;
    `schema` the types of the columns, where a format has such.
    """

    rows: Iterator[Row]
    names: Sequence[str] | None = None
    line: int = 1  # of the first row, which has the names or shows how many columns there are
    has_header: bool = False
    ragged: bool = False
    delimiter: str = ","
    opening: Sequence[str] = ()
    schema: Any = None
    comments: int = 0  # lines before the first row, which are no rows
    marks: NumberMarks | None = None  # in texts

    @property
    def keys(self) -> list[str]:
        """The key of each column."""
        return column_keys(self.names or ())

    def find(self, choice: str, flag: str) -> str:
        """Return the key of the column that a user has chosen by name or number.

        Raises RowError where there is none, or several of the name, and UsageError for a name where
        no row names the columns.
        """
        names = list(self.names or ())
        if choice.isdecimal():
            number = column_number(choice)
            if not 1 <= number <= len(names):
                raise RowError(
                    self.line, f"no column {number}, there are {len(names)}; use {flag} with one of them"
                )
            return self.keys[number - 1]
        if not self.has_header:
            raise UsageError(
                f"{flag} {choice} is a name, but the file has no header; give the column's number"
            )
        if choice not in names:
            raise RowError(self.line, f'no column "{choice}", the columns are {", ".join(names)}; use {flag}')
        self._require_one(choice, names, flag)
        return self.keys[names.index(choice)]

    def usual(self, usual_names: tuple[str, ...], flag: str) -> str | None:
        """Return the key of the column that bears the likeliest of the usual names, if there is one."""
        names = [name.lower() for name in self.names or ()] if self.has_header else []
        found = next((name for name in usual_names if name in names), None)
        if found is None:
            return None
        self._require_one(found, names, flag)
        return self.keys[names.index(found)]

    def _require_one(self, name: str, names: Sequence[str], flag: str) -> None:
        if names.count(name) > 1:
            what = f'two columns are named "{name}"'
            raise RowError(self.line, f"{what}; rename one, or use {flag} with a number")


def column_keys(names: Sequence[str]) -> list[str]:
    """Return the key of each column: its name, or its number where the name is not its own."""
    return [
        name if name and names.count(name) == 1 and not name.isdecimal() else str(number)
        for number, name in enumerate(names, start=1)
    ]
