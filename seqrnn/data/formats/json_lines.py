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


class JsonLines(TableFormat):
    """An object a line, all of which goes along with its record."""

    extensions = (".jsonl", ".ndjson")

    def matches(self, lines: Sequence[str]) -> bool:
        """Whether every line begins an object, and the first is a whole one."""
        filled = [line for line in lines if line.strip()]
        return bool(filled) and all(line.startswith("{") for line in filled)

    def table(self, path: str, source: Source, open_lines: OpenLines) -> Table:  # noqa: ARG002
        """Open the file. Raises RowError, while rows are taken, at a line that is no object."""
        return Table(Row(line.number, _parse(line)) for line in open_lines(path))


def _parse(line: Line) -> dict[str, Any]:
    return parse_object(line.text, line.number) if line.text.strip() else {}


def parse_object(text: str, line: int) -> dict[str, Any]:
    """Read the object at a line. Raises RowError for anything else."""
    try:
        fields = parse_json(text)
        if "\\u" in text:
            json.dumps(fields, ensure_ascii=False).encode()  # half a surrogate pair is no character
    except ValueError as error:
        raise RowError(line, f"not valid JSON: {error}; write one object a line") from error
    if not isinstance(fields, dict):
        raise RowError(line, f"a JSON {type(fields).__name__}, expected an object; write one object a line")
    return fields
