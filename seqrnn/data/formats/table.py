"""Tables: rows of named or numbered columns, whatever file they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from seqrnn.data.formats.column_names import column_number
from seqrnn.data.formats.format import RowError
from seqrnn.errors import UsageError

if TYPE_CHECKING:
    from seqrnn.data.formats.number_marks import NumberMarks

CHOSEN_ANEW = ("`data.text_column`", "`data.label_column`")
"""Settings of columns that may be others in each file that a model is asked about."""


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

    def cell(self, key: str) -> Any:
        """Return the cell of a column. Raises RowError where the row is an object without that field."""
        if key not in self.fields:
            raise RowError(self.line, f"{missing(self.fields, key)}; add it, or leave the row out")
        return self.fields[key]

    def checked(self) -> Row:
        """Return the row itself; raises RowError where it is malformed."""
        if self.error is not None:
            raise RowError(self.line, self.error)
        return self


class JoinedColumn(NamedTuple):
    """A further column, of the texts of the columns `parts`: its key, and how the user chose them."""

    key: str
    parts: Sequence[str]
    choice: str


class Table(Struct, frozen=True):
    """Rows that have the same columns, or, where `names` is None, objects with names of their own.

    The key of a column is its name; one that has no name of its own has its number, from 1, as its key, and
    one whose name is a number that name in quotes: "2020". `ragged` rows may have more columns, which are
    further targets. `opening` is the text of the lines before the first row: those that name the columns,
    and any before them; `schema` the types of the columns, where a format has such.
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
    joined: JoinedColumn | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is no column, as in an empty file; objects have fields of their own."""
        return self.names is not None and not self.names

    @property
    def keys(self) -> list[str]:
        """The key of each column."""
        return column_keys(self.names or ())

    def find(self, choice: str, flag: str) -> str:
        """Return the key of the column that a user has chosen by name or number.

        In objects that is the name of a field, which a row may have or not. Raises RowError where there is
        none, or several of the name, and UsageError for a name where no row names the columns.
        """
        if self.joined is not None and choice in {self.joined.choice, self.joined.key}:
            return self.joined.key
        if self.names is None:
            return choice
        names = list(self.names)
        if self.has_header and choice in self.keys:  # a name in quotes
            return choice
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
            advice = f"use {flag}" if flag in CHOSEN_ANEW else "give the file such a column"
            raise RowError(self.line, f'no column "{choice}", the columns are {", ".join(names)}; {advice}')
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


def missing(fields: Mapping[str, Any], key: str) -> str:
    """Say that an object has no field of that name."""
    return f'no field "{key}", the fields are {", ".join(fields) or "none"}'


def column_keys(names: Sequence[str]) -> list[str]:
    """Return the key of each column: its name, or its number where the name is not its own."""
    numbers, counts = [str(number) for number in range(1, len(names) + 1)], Counter(names)
    if list(names) == numbers:  # as in a file without a header
        return numbers
    return [
        number if not name or counts[name] > 1 else f'"{name}"' if name.isdecimal() else name
        for number, name in zip(numbers, names, strict=True)
    ]


def own_name(key: str) -> str:
    """Return the name of a column by its key, in which a name that is a number has quotes."""
    return key[1:-1] if key[:1] == '"' and key[1:-1].isdecimal() else key


def named_cells(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells of a row by the names of their columns."""
    return {own_name(key): cell for key, cell in fields.items()}
