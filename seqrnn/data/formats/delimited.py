"""Tables of text: columns between TABs without quoting, or with CSV's quoting between commas and the like."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from seqrnn.data.answer import AnswerStyle
from seqrnn.data.formats.answer_writer import AnswerWriter
from seqrnn.data.formats.column_names import is_usual_name
from seqrnn.data.formats.format import HEAD_ROWS, OpenLines
from seqrnn.data.formats.header import has_header
from seqrnn.data.formats.number_marks import NumberMarks, two_readings
from seqrnn.data.formats.records import TableFormat
from seqrnn.data.formats.row_text import RowTextWriter, cells_line, quoted
from seqrnn.data.formats.table import Row, Table, column_keys
from seqrnn.data.lines import LINE_LIMIT, Line

if TYPE_CHECKING:
    from seqrnn.data.source import Source

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""What may separate the columns of a CSV, and what the setting calls it."""
HEADER_ROWS = 50  # that tell whether the one before them names the columns
SEPARATOR_LINE = "sep="  # Excel's first line, which names the delimiter


class Cells(NamedTuple):
    """The cells of a row, with the number of its first line and its text; none where there is an error."""

    line: int
    cells: list[str]
    raw: str
    error: str | None = None

    @property
    def is_blank(self) -> bool:
        """Whether no cell holds anything."""
        return not "".join(self.cells).strip()


class Tsv(TableFormat):
    """Columns between TABs; quotes are characters like any other."""

    extensions: ClassVar = (".tsv", ".tab")
    has_numbers = True

    def matches(self, lines: Sequence[str]) -> bool:
        """Whether there is a TAB in every line."""
        filled = [line for line in lines if line.strip()]
        return bool(filled) and all("\t" in line for line in filled)

    def table(self, path: str, source: Source, open_lines: OpenLines) -> Table:
        """Open the file. Raises RowError, while rows are taken, for one with too few or many columns."""
        lines = open_lines(path)
        head = list(islice(lines, HEAD_ROWS))
        opening = [line.text for line in head[: _comments(head, "\t")]]
        rows = map(_split_tabs, chain(head[len(opening) :], lines))
        return _table(rows, source, "\t", opening, len(opening))

    def writer(self, table: Table, style: AnswerStyle) -> AnswerWriter:
        """Return what appends cells to the text of each row, in which newlines and TABs are escapes."""
        return RowTextWriter(table, style, cells_line)


class Csv(TableFormat):
    """Columns between commas, semicolons, TABs or bars; a quoted cell may hold them, and newlines."""

    extensions: ClassVar = (".csv",)
    has_numbers = True
    line_is_row = False
    is_cut_between_lines = has_quotes = True
    row_noun = "row"

    def matches(self, lines: Sequence[str]) -> bool:
        """Whether the lines are cut into the same number of columns, of which one is quoted or recurs."""
        filled = [line for line in lines if line.strip()]
        if filled and separator_of(filled[0]) is not None:
            return True
        return any(_is_table(filled, delimiter) for delimiter in (",", ";", "|"))

    def table(self, path: str, source: Source, open_lines: OpenLines) -> Table:
        """Open the file. Raises RowError, while rows are taken, where quotes or columns do not match."""
        lines = open_lines(path)
        head = list(islice(lines, HEAD_ROWS))
        delimiter = delimiter_of(head, source)
        opening = [head.pop(0).text] if head and separator_of(head[0].text) else []
        comments = _comments(head, delimiter)
        opening += [line.text for line in head[:comments]]
        rows = split_csv(chain(head[comments:], lines), delimiter)
        return _table(rows, source, delimiter, opening, comments)

    def writer(self, table: Table, style: AnswerStyle) -> AnswerWriter:
        """Return what appends cells, quoted where they must be, to the text of each row."""
        return RowTextWriter(table, style, partial(quoted, delimiter=table.delimiter))


def _comments(head: Sequence[Line], delimiter: str) -> int:
    """Return how many lines at the top are comments, which begin with `#`.

    A line with as many columns as the table may be the names of the columns or, if nothing separates the
    mark from a word (`#travel`), a row.
    """
    count = next((number for number, line in enumerate(head) if not line.text.startswith("#")), 0)
    rows = [_cells(line.text, delimiter) for line in head[count : count + HEADER_ROWS]] if count else []
    if not count or has_header(rows[0], rows[1:]):
        return count
    while count and len(cells := _cells(text := head[count - 1].text, delimiter)) == len(rows[0]):
        if text.startswith(("# ", "##")) and not has_header(cells, rows):
            break
        count -= 1
    return count


def _cells(text: str, delimiter: str) -> list[str]:
    return next(csv.reader([text], delimiter=delimiter), [])


def separator_of(line: str) -> str | None:
    """Return the delimiter that Excel's first line, such as `sep=;`, names."""
    plain = line.strip("\r\n").strip('"')
    return plain[-1] if plain.lower().startswith(SEPARATOR_LINE) and len(plain) == 5 else None


def delimiter_of(head: Sequence[Line], source: Source) -> str:
    """Return what separates the columns: the user's word, Excel's, or what cuts the first rows alike."""
    if source.delimiter != "auto":
        return next(mark for mark, name in DELIMITERS.items() if name == source.delimiter)
    named = separator_of(head[0].text) if head else None
    return named or max(DELIMITERS, key=lambda delimiter: _regularity(head, delimiter))


def _regularity(head: Sequence[Line], delimiter: str) -> tuple[float, int]:
    """Return the share of the first rows that have the usual number of columns, over one, and that number."""
    texts = [line.text for line in head]
    widths = _widths([text for text in texts if not text.startswith("#")] or texts, delimiter)
    if not widths:
        return 0.0, 0
    usual = max(set(widths), key=widths.count)
    return (widths.count(usual) / len(widths), usual) if usual > 1 else (0.0, 0)


def _widths(lines: Iterable[str], delimiter: str) -> list[int]:
    try:
        rows = list(csv.reader((line + "\n" for line in lines), delimiter=delimiter))
    except csv.Error:
        return []
    return [len(row) for row in rows if "".join(row).strip()]


def _is_table(lines: Sequence[str], delimiter: str) -> bool:
    widths = _widths(lines, delimiter)
    if len(lines) < 3 or len(set(widths)) != 1 or widths[0] < 2:
        return False
    rows = list(csv.reader((line + "\n" for line in lines), delimiter=delimiter))
    recurs = any(len(set(column)) <= len(column) / 2 for column in zip(*rows, strict=True))
    return recurs or any(delimiter in cell for row in rows for cell in row)


def split_csv(lines: Iterable[Line], delimiter: str = ",") -> Iterator[Cells]:
    """Cut lines as CSV has it; where quotes do not match, the first line of that row is one with an error."""
    csv.field_size_limit(LINE_LIMIT)
    more, ahead, held = iter(lines), deque[Line](), list[Line]()

    def texts() -> Iterator[str]:
        while (line := ahead.popleft() if ahead else next(more, None)) is not None:
            held.append(line)
            yield line.text + "\n"

    while True:
        try:
            for cells in csv.reader(texts(), strict=True, delimiter=delimiter):
                error = next((line.error for line in held if line.error), None)
                raw = "\n".join(line.text for line in held)
                yield Cells(held[0].number, [] if error else cells, raw, error)
                held.clear()
            return
        except csv.Error as error:
            first, *rest = held
            ahead.extendleft(reversed(rest))
            held.clear()
            reason = f"not valid CSV: {error}; check the quotes of this row"
            yield Cells(first.number, [], first.text, reason)


def _split_tabs(line: Line) -> Cells:
    return Cells(line.number, [] if line.error else line.text.split("\t"), line.text, line.error)


def _table(
    rows: Iterator[Cells], source: Source, delimiter: str, opening: Sequence[str], comments: int
) -> Table:
    """Tell the header from rows, and hold every row to as many columns as the first has."""
    before, head = [], []
    for row in rows:
        if not row.is_blank:
            head.append(row)
            break
        before.append(Row(row.line, {}, row.error, row.raw))
    if not head:
        return Table(iter(before), (), delimiter=delimiter, opening=[*opening, ""], comments=comments)
    head += islice(rows, HEAD_ROWS)
    first = head[0]
    below = (row.raw.split(delimiter) if row.error else row.cells for row in head[1:])
    named = _is_header(first.cells, [cells for cells in below if "".join(cells).strip()], source)
    count = len(first.cells)
    names = [cell.strip() for cell in first.cells] if named else [str(n) for n in range(1, count + 1)]
    ragged = not named and not (source.text_column or source.label_column)
    rows_of_head = head[1:] if named else head
    marks = _number_marks(rows_of_head, names, delimiter, source)
    layout = _Layout(names, ragged, delimiter, marks)
    return Table(
        chain(before, _rows(chain(rows_of_head, rows), layout)),
        names,
        first.line,
        has_header=named,
        ragged=ragged,
        delimiter=delimiter,
        opening=[*opening, first.raw if named else ""],
        comments=comments,
        marks=marks,
    )


class _Layout(NamedTuple):
    """What the first rows tell of the others."""

    names: list[str]
    ragged: bool
    delimiter: str
    marks: NumberMarks


def _number_marks(rows: Sequence[Cells], names: Sequence[str], delimiter: str, source: Source) -> NumberMarks:
    """Look at how numbers are written, in the columns that are not known to hold texts or several labels."""
    keys = column_keys(names)

    def chosen(*columns: str | None) -> set[int]:
        return {i for i, key in enumerate(keys) if key in columns or str(i + 1) in columns}

    features, labels = chosen(*source.feature_columns), chosen(*source.label_columns(names))
    columns = features | labels if features else {*range(len(keys))} - chosen(*source.text_columns(names))
    if source.multi_label:
        columns = features
    filled = [row.cells for row in rows if not row.is_blank]
    return NumberMarks(filled, sorted(columns), features, source.decimal_mark, delimiter == ",")


def _is_header(first: list[str], rows: Sequence[list[str]], source: Source) -> bool:
    if source.header == "named":
        return all(map(is_usual_name, first))
    if source.header != "auto":
        return source.header == "yes"
    chosen = (*source.text_columns(None), *source.label_columns(None))
    if any(column and not column.isdecimal() for column in chosen):
        return True
    return has_header(first, rows)


def _rows(rows: Iterable[Cells], layout: _Layout) -> Iterator[Row]:
    keys, width, numbers = column_keys(layout.names), len(layout.names), layout.marks.may_hold_numbers
    for row in rows:
        if row.is_blank:
            yield Row(row.line, {}, row.error, row.raw)
            continue
        cells, unclear = layout.marks.read(row.cells) if numbers else (row.cells, None)
        if len(cells) == width:
            error = None if unclear is None else _unclear(keys[unclear], cells[unclear])
            yield Row(row.line, dict(zip(keys, cells, strict=True)), error, row.raw)
            continue
        numbered = {str(number): cell for number, cell in enumerate(cells, start=1)}
        fits = layout.ragged and min(width, len(cells)) > 1
        error = None if fits else _misfit(cells, layout.names, layout.ragged, layout.delimiter)
        yield Row(row.line, numbered, error, row.raw)


def _unclear(key: str, cell: str) -> str:
    """Say that a number can be read in two ways."""
    return f"column {key!r} holds {two_readings(cell)}; write it without a mark between thousands"


def _misfit(cells: list[str], names: list[str], ragged: bool, delimiter: str) -> str:
    """Say that a row has too few or too many columns, and what may be the reason."""
    columns = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
    known = "source, target" if ragged else ", ".join(names)
    expected = f"{len(names)} or more" if ragged else str(len(names))
    advice = f"fix the row, or train with another `data.delimiter` (here: {DELIMITERS[delimiter]})"
    if cells and len(cells) == len(names) + 1 and not cells[-1].strip():
        advice = "remove the delimiter at the end of the rows, or end the header with one, too"
    return f"{columns}, expected {expected} ({known}); {advice}"
