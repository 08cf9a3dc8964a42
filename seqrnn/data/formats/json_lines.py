"""JSON lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seqrnn.data.formats.format import OpenLines, RowError
from seqrnn.data.formats.json_text import parse_json
from seqrnn.data.formats.records import TableFormat
from seqrnn.data.formats.table import Row, Table
from seqrnn.data.lines import Line

if TYPE_CHECKING:
    from seqrnn.data.source import Source


MISSING = object()


class JsonLines(TableFormat):
    """An object a line, all of which goes along with its record."""

    extensions = (".jsonl", ".ndjson")

    def matches(self, lines: Sequence[str]) -> bool:
        """Whether every line begins an object, and the first is a whole one."""
        filled = [line for line in lines if line.strip()]
        return bool(filled) and all(line.startswith("{") for line in filled)

    def table(self, path: str, source: Source, open_lines: OpenLines) -> Table:
        """Open the file. Raises RowError, while rows are taken, at a line that is no object."""
        return Table(Row(line.number, with_nested(_parse(line), source)) for line in open_lines(path))


def _parse(line: Line) -> dict[str, Any]:
    return parse_object(line.text, line.number) if line.text.strip() else {}


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
    """Return the fields, and those within objects that the source names, such as `data.text`."""
    named = [source.text_column, *source.label_columns(None)]
    for name in named:
        if name and "." in name and name not in fields:
            value: Any = fields
            for part in name.split("."):
                value = value.get(part, MISSING) if isinstance(value, dict) else MISSING
            if value is not MISSING:
                fields = {**fields, name: value}
    return fields


def check_characters(text: str, value: Any) -> None:
    """Raise ValueError where the text of a value holds half a surrogate pair, which is no character."""
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()
