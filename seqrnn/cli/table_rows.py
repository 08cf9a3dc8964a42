"""A table comes back as the same table, with what a model answers to each row in further columns."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from seqrnn.answering.rows import MOST_ROWS
from seqrnn.cli.process import prepare_for_many_rows
from seqrnn.cli.rows import Part, Row, RowFormat, Tally, beside, json_record
from seqrnn.cli.stdio import Output, json_line
from seqrnn.data.formats.format import OpenLines, RowError
from seqrnn.data.formats.records import TableFormat
from seqrnn.data.formats.registry import format_named, format_of_path
from seqrnn.data.formats.table import Row as TableRow
from seqrnn.data.formats.table import Table
from seqrnn.data.lines import file_name, in_one_cell
from seqrnn.data.record import Record
from seqrnn.data.source import Source, spool
from seqrnn.errors import DataError
from seqrnn.tasks.task import Answer

if TYPE_CHECKING:
    from seqrnn.config import DataConfig

Answering = Callable[[list[Record]], Sequence[Answer]]


def table_format(path: str, layout: str, as_json: bool) -> str | None:
    """Return the format of a table: what the user says, or the file's name; None where rows are lines.

    Lines of JSON are rows like any other where answers are to be JSON as well.
    """
    name = format_of_path(path) if layout == "auto" else layout
    if name is None or not format_named(name).has_columns or (as_json and format_named(name).line_is_object):
        return None
    return name


def table_source(data: DataConfig, path: str, layout: str, text_column: str | None) -> Source:
    """Return how a table is read to be answered: as in training, but for what its own header tells.

    Raises UsageError and DataError where it cannot be read.
    """
    update = {"train": (path,), "source": None, "target": None, "format": layout, "label_column": None}
    source = spool(Source.training(data.model_copy(update=update)))
    if text_column is not None:
        return replace(source, text_column=text_column, header="auto")
    own = replace(source.as_trained(), text_column=None)
    return own if source.header == "no" and _open(own).has_header else source


def _kind(source: Source) -> TableFormat:
    kind = format_named(source.format)
    assert isinstance(kind, TableFormat)
    return kind


def _lines(source: Source) -> OpenLines:
    return replace(source, encoding_errors="replace").lines


def _open(source: Source) -> Table:
    path = source.paths[0]
    try:
        return _kind(source).table(path, source, _lines(source))
    except RowError as error:
        raise DataError(f"{file_name(path)}:{error.line}: {error}") from error


@dataclass(frozen=True)
class TableRows:
    """Answers the rows of a table. `source` says how it is read, `layout` how a row is checked."""

    source: Source
    layout: RowFormat
    answer: Answering

    def write(self, out: Output) -> Tally:
        """Write every row with its answer, in order. Raises DataError where the file cannot be read."""
        path = self.source.paths[0]
        name, tally = file_name(path), Tally()
        prepare_for_many_rows()
        table = _open(self.source)
        try:
            rows = enumerate(_kind(self.source).answerable(table, path, self.source, _lines(self.source)))
            write = self._writer(table, out)
            while part := list(islice(rows, MOST_ROWS)):
                answered = self._answered(part)
                tally.count(Part([(row, answer) for row, _, answer in answered], (), 0), name)
                write(answered)
        except RowError as error:
            raise DataError(f"{name}:{error.line}: {error}") from error
        return tally

    def _answered(self, part: Iterable[tuple[int, tuple[TableRow, Record | None]]]) -> list[Answered]:
        checked = [self._checked(number, row, record) for number, (row, record) in part]
        given = [record for _, _, record in checked if record is not None]
        answers = iter(
            self.answer(given) if self.source.sentence_column is None else self._of_tokens(checked)
        )
        return [(row, fields, None if record is None else next(answers)) for row, fields, record in checked]

    def _of_tokens(self, checked: Sequence[Checked]) -> Iterator[Answer]:
        """Yield the answer to each row that is a token of the sentence with which it comes."""
        tokens = [(row, record) for row, _, record in checked if record is not None]
        groups = [list(group) for _, group in groupby(tokens, key=lambda token: id(token[1]))]
        answers = self.answer([group[0][1] for group in groups])
        for group, answer in zip(groups, answers, strict=True):
            for row, sentence in group:
                yield _answer_at(answer, sentence.lines.index(row.place) if sentence.lines else None)

    def _checked(self, number: int, row: TableRow, record: Record | None) -> Checked:
        error, text = row.error, record.source if record else ""
        if record is not None:
            try:
                self.layout.check(record)
            except DataError as problem:
                error, record = str(problem).removeprefix(f"{record.place}: "), None
        return Row(number, text, dict(row.fields), error, place=row.line), row.fields, record

    def _writer(self, table: Table, out: Output) -> Callable[[list[Answered]], None]:
        """Return what writes some rows; names of columns are written at once."""
        if self.layout.as_json:
            return lambda rows: out.write_lines(
                out.json_line(json_record(row, answer, self.layout)) for row, _, answer in rows
            )
        if table.names is None or self.source.format not in {"tsv", "csv", "folder"}:
            return lambda rows: out.write_lines(json_line({**f, **beside(f, cells(a))}) for _, f, a in rows)
        spell = _spelling(table.delimiter)
        if table.has_header:
            out.write_lines([spell([*table.names, *beside(dict.fromkeys(table.names), cells(None))])])
        return lambda rows: out.write_lines(_line(row, fields, answer, spell) for row, fields, answer in rows)


Checked = tuple[Row, Mapping[str, Any], Record | None]
Answered = tuple[Row, Mapping[str, Any], Answer | None]


def _answer_at(answer: Answer, place: int | None) -> Answer:
    """Return the answer to one token of a sentence; a blank row, or a token that was cut off, has none."""
    if place is None or place >= len(answer.prediction):
        return Answer(None, None, truncated=place is not None)
    tag, score = answer.prediction[place], answer.parts[place]
    return Answer(tag, score, [(tag, score)], answer.truncated, answer.unknown)


def cells(answer: Answer | None) -> dict[str, Any]:
    """Return the columns that are added to a row: the prediction and, where there is one, its probability."""
    if answer is None:
        return {"prediction": None, "probability": None}
    probability = None if answer.score is None else math.exp(min(answer.score, 0.0))
    return {"prediction": answer.prediction, "probability": probability}


def _line(
    row: Row, fields: Mapping[str, Any], answer: Answer | None, spell: Callable[[Sequence[str]], str]
) -> str:
    """Return a row with its answer; a blank one stays blank."""
    if not fields and row.error is None:
        return ""
    return spell([*map(str, fields.values()), *map(_cell, cells(answer).values())])


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _spelling(delimiter: str) -> Callable[[Sequence[str]], str]:
    """Return what writes the cells of a row as a line: with CSV's quoting, or in a TSV without newlines."""
    if delimiter == "\t":
        return lambda row: "\t".join(map(in_one_cell, row))

    def spell(row: Sequence[str]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(row)
        return text.getvalue().removesuffix("\n")

    return spell
