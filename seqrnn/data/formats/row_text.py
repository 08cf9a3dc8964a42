"""Tables of text with their answers: the text of each row as it was, and further cells after it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from seqrnn.data.answer import AnswerStyle
from seqrnn.data.formats.answer_writer import (
    Answered,
    AnswerWriter,
    Sink,
    answer_columns,
    answer_names,
    names_beside,
)
from seqrnn.data.formats.table import Table
from seqrnn.data.lines import in_one_cell
from seqrnn.errors import UsageError


class RowTextWriter(AnswerWriter):
    """Writes the text of each row as it is, and further cells after it."""

    def __init__(self, table: Table, style: AnswerStyle, spell: Callable[[Sequence[str]], str]) -> None:
        self._table = table
        self._style = style
        self._spell = spell
        self._names = answer_names(style)
        if style.prefix and not table.has_header:
            raise UsageError(f"`prefix` {style.prefix}: no header names the columns; leave it out")

    def begin(self, out: Sink) -> None:
        """Write what comes before the first row; the last line of it names the columns."""
        *before, header = self._table.opening or [""]
        out.write_lines(before)
        if self._table.has_header:
            names = names_beside(self._table.names or (), self._names, self._style.prefix)
            out.write_lines([self._extended(header, names)])

    def write(self, examples: Sequence[Answered], out: Sink) -> None:
        """Write some rows; a blank one stays blank, and one of blank cells has no answer."""
        out.write_lines(map(self._row, examples))

    def _row(self, example: Answered) -> str:
        row, answer = example
        if row.is_blank and not row.raw.strip():
            return str(row.raw)
        columns = answer_columns(None if row.is_blank else answer, self._style)
        return self._extended(row.raw, map(self._style.cell, columns))

    def _extended(self, text: str, cells: Iterable[str]) -> str:
        return f"{text}{self._table.delimiter}{self._spell(list(cells))}"


def cells_line(cells: Iterable[str]) -> str:
    """Return cells as a row of TSV, without its newline; newlines and TABs in them become escapes."""
    return "\t".join(map(in_one_cell, cells))


def quoted(cells: Sequence[str], delimiter: str) -> str:
    """Return cells as a row of CSV, without its newline."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(cells)
    return text.getvalue().removesuffix("\n")
