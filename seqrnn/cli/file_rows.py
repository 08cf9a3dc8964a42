"""A file comes back in its own form, with what a model answers to each of its examples."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import chain, count, islice
from typing import Any

from msgspec import structs

from seqrnn.answering.answering_threads import SideBySide
from seqrnn.answering.row_batches import MAX_ROWS
from seqrnn.catalog import FORMATS
from seqrnn.cli.process import prepare_for_many_rows
from seqrnn.cli.rows import InputRow, RowFormat, RowTally, json_record, line_parts
from seqrnn.cli.shard import WHOLE, Shard
from seqrnn.cli.spelling import in_flags
from seqrnn.cli.stdio import OutputStream
from seqrnn.config import DataConfig
from seqrnn.data.answer import Answer
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.formats.answer_writer import AnswerableFormat, Answered, AnswerWriter, Asked, Sink
from seqrnn.data.formats.column_names import are_numbers, columns_in
from seqrnn.data.formats.format import HEAD_ROWS, OpenLines, RowError
from seqrnn.data.formats.records import TableFormat
from seqrnn.data.formats.registry import columns_for, format_named, format_of_path, notes_of
from seqrnn.data.formats.table import Row as FileRow
from seqrnn.data.formats.table import named_cells, own_name
from seqrnn.data.formats.text_files import first_of
from seqrnn.data.lines import Line, count_lines, file_name, read_lines
from seqrnn.data.record import Record
from seqrnn.data.source import Source, spool
from seqrnn.errors import DataError, UsageError
from seqrnn.library.rows import NOT_FINITE, Refusal, RowAnswerer

Example = tuple[FileRow, Record | None]
UNREADABLE = (RowError, DataError)


def file_format(path: str, data: DataConfig, layout: str, as_json: bool) -> str | None:
    """Return the format in which a file is answered, or None where each line is a row of text.

    It is what the user says (`layout`), or the file's name, or what its first lines look like: those of
    the training data, or of a format that nothing else looks like. Standard input, of which nothing can
    be read beforehand, has lines. Lines of JSON are rows like any other where answers are to be JSON too.
    """
    name = layout
    if layout == "auto":
        name = format_of_path(path) or _format_of_content(path, data) or "lines"
    return name if _comes_back(name, as_json) else None


def _comes_back(name: str, as_json: bool) -> bool:
    """Whether files of a format are answered in their own form; lines of JSON are, unless by JSON."""
    kind = format_named(name)
    return isinstance(kind, AnswerableFormat) and not (as_json and kind.line_is_object)


def _format_of_content(path: str, data: DataConfig) -> str | None:
    if not os.path.isfile(path):
        return None
    lines = [line.text for line in islice(read_lines(path, "replace", data.encoding), HEAD_ROWS)]
    return _format_of_lines(lines, data)


def _format_of_lines(lines: Sequence[str], data: DataConfig) -> str | None:
    likely = [name for name in FORMATS if name == data.format or format_named(name).is_unmistakable]
    return next((name for name in likely if format_named(name).matches(lines)), None)


def taken_for_lines(lines: Sequence[str], data: DataConfig, as_json: bool) -> list[str]:
    """Return a note where lines that were read as texts look like those of a file with a form of its own."""
    if kind_named(data.source_kind).has_numbers:
        return []  # which lines of JSON hold
    name = data.format if _is_header(lines[0], data) else _format_of_lines(lines, data)
    if name is None or not _comes_back(name, as_json):
        return []
    return [f"each line was read as a text, and they look like {name}: --format {name} reads them so"]


def _is_header(line: str, data: DataConfig) -> bool:
    """Whether a line names the columns of the training data."""
    cells = {cell.strip('" ') for cell in re.split(r"[\t,;|]", line)}
    named = (*columns_in(data.text_column), *columns_in(data.label_column))
    chosen = {own_name(column) for column in named}
    return bool(chosen) and len(cells) > 1 and chosen <= cells


def file_source(
    data: DataConfig, path: str, layout: str, text_column: str | None, tags: bool = False
) -> Source:
    """Return how a file is read to be answered: as in training, but for what its own header tells.

    A tagger `tags` the words of a table that has one in each row, too.

    Raises UsageError and DataError where it cannot be read.
    """
    columns = columns_for(data, layout, text_column)
    update: dict[str, Any] = {"train": (path,), "source": None, "target": None, "format": layout, **columns}
    source = Source.training(replace(data, **update, encoding_errors="replace"))
    if source.paths != (path,):
        what = f"stands for {len(source.paths):,} files, and one is answered at a time"
        raise UsageError(f"{path}: {what}; name it, such as {source.paths[0]}")
    source = replace(
        source if _is_line_by_line(source) else spool(source), text_in=source.as_trained().text_in
    )
    kind = format_named(layout)
    if tags and isinstance(kind, TableFormat) and source.sentence_column is None:
        source = _with_sentences(source, text_column)
        if source.sentence_column is not None:
            return source
    if text_column is not None:
        if kind.has_columns and are_numbers(text_column) and not are_numbers(source.label_column):
            source = replace(source, label_column=None)  # its name in training would ask for a header
        return replace(source, text_column=text_column, header="auto")
    if source.header != "no" or not isinstance(kind, TableFormat):
        return source
    own = replace(source.as_trained(), text_column=None, label_column=None)
    with _told(path):
        return own if kind.table(source.paths[0], own, own.lines).has_header else source


def _with_sentences(source: Source, text_column: str | None) -> Source:
    """Return the source with the columns of a table of tokens, if it is one."""
    from seqrnn.inference import with_sentences

    if not os.path.isfile(source.paths[0]):
        return source  # a stream, of which nothing can be read beforehand
    asked = replace(source, text_column=text_column, label_column=None, header="auto")
    found = with_sentences(asked, "tagging")
    return source if found.sentence_column is None else found


class FileRows:
    """The examples of a file, answered by `answerer` and written in its own form, or as lines of JSON.

    The file is opened at once; of a `shard` only its examples are answered, and what belongs to all of the
    file is written with the first or last of them. Raises UsageError and DataError where it has no examples
    as `source` says, and UsageError for a style of answers that it cannot have.
    """

    def __init__(
        self, source: Source, layout: RowFormat, answerer: RowAnswerer, shard: Shard | None = None
    ) -> None:
        self._source = source
        self._layout = layout
        self._answerer = answerer
        self._path = source.paths[0]
        self._replaced = 0
        self._is_line_by_line = _is_line_by_line(source)
        with _told(self._path):
            self._asked = self._open(_no_lines if self._is_line_by_line else self._lines)
            style = structs.replace(layout.style, kind=self._asked.kind or layout.style.kind)
            self._piece = WHOLE if shard is None else shard.piece(self._count())
            if layout.as_json:
                self._writer: AnswerWriter = JsonRecords(
                    replace(layout, style=style), self._piece.start, self._asked.joined
                )
            else:
                self._writer = Explanations(layout) if style.explains else self._asked.writer(style)
        if shard is not None and self._writer.shards == "none":
            what = f"the answers to a {source.format} file like this one are written together"
            raise UsageError(f"--shard: {what}; add --jsonl")

    def write(self, out: OutputStream, side_by_side: SideBySide) -> RowTally:
        """Write every example with its answer, in order; what comes before damage is answered.

        Raises DataError where the file is damaged, and UsageError where bytes would go to a terminal.
        """
        if self._writer.is_binary and out.is_terminal:
            what = f"a {self._source.format} file is no text for a terminal"
            raise UsageError(f"{what}; redirect it, name a file with -o, or add --jsonl")
        tally, name = RowTally(notes=notes_of(self._source)), file_name(self._path)
        prepare_for_many_rows()
        with _told(self._path):
            answered = side_by_side(self._answered, self._parts())
            first = list(islice(answered, 1))  # nothing is written of a file that cannot be read at all
            is_file = self._writer.shards == "files"
            if self._piece.is_first or is_file:
                self._writer.begin(out)
            try:
                for examples in chain(first, answered):
                    self._writer.write([_finite(example, out) for example in examples], out)
                    for row, answer in examples:
                        tally.note(answer, f"{name}:{row.line}", row.error)
            except (RowError, DataError):
                self._writer.break_off(out)
                raise
            if self._piece.is_last or is_file:
                self._writer.end(out)
            elif not self._piece.is_empty:
                self._writer.pause(out, self._piece.rows_follow)
        tally.replaced += self._replaced
        return tally

    def _open(self, open_lines: OpenLines) -> Asked:
        kind = format_named(self._source.format)
        assert isinstance(kind, AnswerableFormat)
        return kind.asked(self._path, self._source, open_lines)

    def _lines(self, path: str) -> Iterator[Line]:
        for line in self._source.lines(path):
            self._replaced += line.replaced
            yield line

    def _parts(self) -> Iterator[Sequence[Example] | None]:
        """Yield examples, as many as are answered at a time; None says that there is a wait."""
        if not self._is_line_by_line:
            rows = self._asked.rows
            for _ in islice(rows, self._piece.start):
                pass  # another process answers them
            self._replaced = 0
            yield from self._piece.within(_cut(rows))
            return
        for lines in line_parts(self._path, self._source.encoding, self._piece):
            if lines is not None:
                self._replaced += sum(line.replaced for line in lines)
            yield None if lines is None else list(self._open(partial(_these, lines)).rows)

    def _count(self) -> int:
        """Count the examples, up to where the file is damaged if it is."""
        if self._is_line_by_line:
            return count_lines(self._path, self._source.encoding)
        return sum(map(len, _readable(_cut(self._open(self._lines).rows))))

    def _answered(self, examples: Sequence[Example]) -> list[Answered]:
        asked = {id(record): record for _, record in examples if record is not None}  # rows may share one
        found = dict(zip(asked, self._answerer(list(asked.values())), strict=True))
        if self._layout.style.explains:
            examples = _one_a_record(examples)
        return [self._with_answer(row, record, found) for row, record in examples]

    def _with_answer(
        self, row: FileRow, record: Record | None, found: Mapping[int, Answer | Refusal]
    ) -> Answered:
        if record is None:
            return Answered(row if row.error is None else row._replace(error=in_flags(row.error)), None)
        answer = found[id(record)]
        if isinstance(answer, Refusal):
            return Answered(row._replace(error=in_flags(answer.reason)), None)
        return Answered(row, answer if answer.explanation else self._asked.answer_of(row, record, answer))


def _is_line_by_line(source: Source) -> bool:
    """Whether each line is read by itself, so that a stream is answered as it comes."""
    kind = format_named(source.format)
    return kind.line_is_row and not kind.has_numbers and source.series_column is None


def _one_a_record(examples: Sequence[Example]) -> list[Example]:
    """Return the examples but those that share the record of one before them."""
    first = {id(record): example for example in reversed(examples) if (record := example[1]) is not None}
    return [example for example in examples if example[1] is None or first[id(example[1])] is example]


def _no_lines(path: str) -> Iterator[Line]:  # noqa: ARG001
    return iter(())


def _these(lines: Sequence[Line], path: str) -> Iterator[Line]:  # noqa: ARG001
    return iter(lines)


def _readable(parts: Iterator[list[Example]]) -> Iterator[list[Example]]:
    """Yield parts up to where a file is damaged. Raises RowError or DataError where that is its beginning."""
    yield from islice(parts, 1)
    with suppress(*UNREADABLE):
        yield from parts


def _cut(rows: Iterator[Example]) -> Iterator[list[Example]]:
    """Cut rows into lists. An error of theirs is raised after what has come before it."""
    failure: Exception | None = None
    while failure is None:
        part, failure = first_of(rows, MAX_ROWS, UNREADABLE)
        if part:
            yield part
        elif failure is None:
            return
    raise failure


def _finite(example: Answered, out: OutputStream) -> Answered:
    """Return an example without its answer where that holds nan or infinity, which is counted."""
    row, answer = example
    if answer is None or answer.is_finite:
        return example
    out.count_not_finite()
    return Answered(row._replace(error=NOT_FINITE.reason), None)


class JsonRecords(AnswerWriter):
    """Writes all that is known of each example as a line of JSON, whatever the format of the file."""

    def __init__(self, layout: RowFormat, first: int = 0, joined: str | None = None) -> None:
        """Number the examples from `first` on; their field `joined` is none of the file."""
        self._layout = layout
        self._joined = joined
        self._ids = count(first)

    def write(self, examples: Sequence[Answered], out: Sink) -> None:
        """Write some examples: by their fields, or by their text where they have none."""
        out.write_json(json_record(self._row(row), answer, self._layout) for row, answer in examples)

    def _row(self, row: FileRow) -> InputRow:
        text = row.raw if row.error is not None and isinstance(row.raw, str) else ""
        own = {key: cell for key, cell in row.fields.items() if key != self._joined}
        fields = named_cells(own) or ({"text": text} if text else {})
        return InputRow(next(self._ids), "", fields, row.error)


class Explanations(AnswerWriter):
    """Writes why each example is answered as it is, in lines."""

    def __init__(self, layout: RowFormat) -> None:
        self._layout = layout

    def write(self, examples: Sequence[Answered], out: Sink) -> None:
        """Write some examples; one that could not be answered is a blank line."""
        out.write_lines(self._layout.write(answer, "") if answer else "" for _, answer in examples)


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Turn what is wrong with a row into DataError, with the file's name."""
    try:
        yield
    except RowError as error:
        raise DataError(f"{file_name(path)}:{error.line}: {error}") from error
