"""JSON lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seqrnn.data.formats.format import OpenLines, RowError
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
        fields = json.loads(text, **STRICT)
        check_characters(text, fields)
    except (ValueError, RecursionError) as error:
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


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of JSON. Raises ValueError for a key that stands twice, of which one would be lost."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in fields if keys.count(key) > 1)
        raise ValueError(f'the key "{twice}" stands twice in one object')
    return fields


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


STRICT: dict[str, Any] = {"object_pairs_hook": unique_keys, "parse_constant": _refuse}
"""How JSON is read, so that nothing in it gets lost."""
