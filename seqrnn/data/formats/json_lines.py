"""JSON lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seqrnn.data.answer import Answer, AnswerStyle
from seqrnn.data.formats.answer_writer import Answered, AnswerWriter, Sink, object_line
from seqrnn.data.formats.format import OpenLines, RowError
from seqrnn.data.formats.json_text import parse_json, value_at
from seqrnn.data.formats.records import TableFormat
from seqrnn.data.formats.table import Row, Table
from seqrnn.data.lines import Line

if TYPE_CHECKING:
    from seqrnn.data.source import Source

MISSING = object()


def is_object(line: str) -> bool:
    """Whether a line is a whole JSON object."""
    try:
        return isinstance(parse_json(line), dict)
    except ValueError:
        return False


class JsonLines(TableFormat):
    """An object a line, all of which goes along with its record."""

    is_json = True
    extensions = (".jsonl", ".ndjson")
    line_is_object = True
    is_unmistakable = True

    def matches(self, lines: Sequence[str]) -> bool:
        """Whether every line begins an object; or most do, and the first is a whole one."""
        filled = [line for line in lines if line.strip()]
        begun = sum(line.startswith("{") for line in filled)
        return bool(filled) and (begun == len(filled) or (2 * begun > len(filled) and is_object(filled[0])))

    def table(self, path: str, source: Source, open_lines: OpenLines) -> Table:
        """Open the file; a line that is no object is a row with an error."""
        return Table(_row(line, source) for line in open_lines(path))

    def writer(self, table: Table, style: AnswerStyle) -> AnswerWriter:  # noqa: ARG002
        """Return what adds fields to the text of each object."""
        return ObjectWriter(style)


class ObjectWriter(AnswerWriter):
    """Writes the text of each object as it is, with further fields at its end; a blank line stays blank."""

    def __init__(self, style: AnswerStyle) -> None:
        self._style = style

    def write(self, examples: Sequence[Answered], out: Sink) -> None:
        """Write some objects."""
        out.write_lines(self._line(*example) for example in examples)

    def _line(self, row: Row, answer: Answer | None) -> str:
        is_blank = row.error is None and not row.raw.strip()
        return str(row.raw) if is_blank else object_line(row, answer, self._style)


def _row(line: Line, source: Source) -> Row:
    if not line.text.strip():
        return Row(line.number, {}, line.error, line.text)
    try:
        fields = parse_object(line.text, line.number)
    except RowError as error:
        return Row(line.number, {}, str(error), line.text)
    return Row(line.number, with_nested(fields, source), None, line.text)


def parse_object(text: str, line: int) -> dict[str, Any]:
    """Read the object at a line. Raises RowError for anything else."""
    try:
        fields = parse_json(text)
        check_characters(text, fields)
    except ValueError as error:
        raise RowError(line, f"not valid JSON: {error}; write one object a line") from error
    if not isinstance(fields, dict):
        raise RowError(line, f"a JSON {type(fields).__name__}, expected an object; write one object a line")
    return fields


def with_nested(fields: dict[str, Any], source: Source) -> dict[str, Any]:
    """Return the fields, and those within objects that the source names, such as `data.text`.

    An object that says of labels whether each holds, as spaCy's `cats` do, is a list of those that do.
    """
    if dict not in map(type, fields.values()):
        return fields
    fields = {name: labels_in(value) for name, value in fields.items()}
    for name in (*source.text_columns(None), *source.label_columns(None)):
        if name not in fields and (value := value_at(fields, name, MISSING)) is not MISSING:
            fields = {**fields, name: value}
    return fields


def labels_in(value: Any) -> Any:
    """Return the labels that hold where a value is an object of labels with 0 or 1 each, or the value."""
    if not isinstance(value, dict) or len(value) < 2:
        return value
    are_flags = all(isinstance(flag, int | float) and flag in {0, 1} for flag in value.values())
    return [label for label, flag in value.items() if flag] if are_flags else value


def check_characters(text: str, value: Any) -> None:
    """Raise ValueError where the text of a value holds half a surrogate pair, which is no character."""
    if "\\u" not in text:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start].encode("ascii", "backslashreplace").decode()
        raise ValueError(f"half a surrogate pair ({half}), which is no character") from error
