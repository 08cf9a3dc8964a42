"""The columns of a table as its first rows show them, and the roles that they may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seqrnn.data.column_sample import ColumnSample
from seqrnn.data.formats.column_names import LABEL_NAMES, SERIES_NAMES, TIME_NAMES, normal_name, rank
from seqrnn.data.formats.table import own_name


@dataclass(frozen=True)
class ColumnRoles:
    """The keys of the columns, and the input: texts or paths (`kind` auto), or numbers."""

    source: str | None = None
    targets: tuple[str, ...] = ()
    kind: str = "auto"
    features: tuple[str, ...] = ()
    series: str | None = None
    time: str | None = None
    sentence: str | None = None
    evidence: str = ""  # for what is not plain to see
    joined: Sequence[str] = ()  # the columns whose texts `source` joins
    shown: tuple[str, ...] = ()  # the input, where neither `source` nor `features` need to say so


@dataclass(frozen=True)
class ColumnSpec:
    """What is settled already: the columns that the user has chosen, what is to be read, and the task."""

    source: str | None = None
    targets: tuple[str, ...] = ()
    series: str | None = None
    time: str | None = None
    sentence: str | None = None
    kind: str = "auto"
    may_tag: bool = False  # nothing says that the rows are no tokens
    reads_texts: bool = False  # the task that was asked for learns from nothing else
    writes_texts: bool = False  # what is answered may be a text
    blank_rows: int = 0  # between the first rows
    multi_label: bool = False  # each example bears several labels


class TableColumns:
    """The columns that hold something, and what is settled of them."""

    def __init__(self, name: str, columns: Sequence[ColumnSample], wanted: ColumnSpec) -> None:
        self.name = name
        self.wanted = wanted
        self.columns = [column for column in columns if column.kind != "empty"]
        self.by_key: Mapping[str, ColumnSample] = {column.key: column for column in columns}

    def of_kind(self, *kinds: str) -> list[ColumnSample]:
        """Return the columns of some kinds that the user has not chosen for another role."""
        taken = {*self.wanted.targets, self.wanted.series, self.wanted.time}
        return [column for column in self.columns if column.kind in kinds and column.key not in taken]


def bears(column: ColumnSample, usual: tuple[str, ...]) -> bool:
    """Whether a column has one of the usual names."""
    return normal_name(column.title) in usual


def is_series(column: ColumnSample) -> bool:
    """Whether a column has the name of one that says which series a row belongs to."""
    return bears(column, SERIES_NAMES) or normal_name(column.title).endswith("_id")


def is_time(column: ColumnSample) -> bool:
    """Whether a column says when, by its name or what it holds."""
    return bears(column, TIME_NAMES) or column.holds_dates


def may_be_label(column: ColumnSample) -> bool:
    """Whether the cells may be classes."""
    return column.kind == "label" or column.holds_few_integers


def best_named(columns: Sequence[ColumnSample], usual: tuple[str, ...]) -> ColumnSample | None:
    """Return the column that bears the likeliest of the usual names, if one does."""
    ranked = [column for column in columns if column.title and rank(column.title, usual) < len(usual)]
    return min(ranked, key=lambda column: rank(column.title, usual), default=None)


def is_label_named(column: ColumnSample) -> bool:
    """Whether a column has a name of one that holds what is answered."""
    return rank(column.title, LABEL_NAMES) < len(LABEL_NAMES)


def quoted(key: str) -> str:
    """Write the name of a column as a message shows it."""
    return f'"{own_name(key)}"'


def go_together(tokens: ColumnSample, tags: ColumnSample) -> bool:
    """Whether the lists of two columns have as many items in each row."""
    pairs = list(zip(tokens.cells, tags.cells, strict=False))
    return all(isinstance(b, list) and isinstance(a, list) and len(a) == len(b) for a, b in pairs)
