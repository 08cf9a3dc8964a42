"""JSON files: one list of objects, also within an object, or objects one after the other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from seqrnn.data.answer import AnswerStyle
from seqrnn.data.formats.answer_writer import Answered, AnswerWriter, Sink, object_line
from seqrnn.data.formats.format import OpenLines, RowError
from seqrnn.data.formats.json_lines import ObjectWriter, check_characters, is_object, with_nested
from seqrnn.data.formats.json_text import STRICT
from seqrnn.data.formats.records import TableFormat
from seqrnn.data.formats.table import Row, Table
from seqrnn.data.lines import LINE_LIMIT, READ_SIZE, read_text

if TYPE_CHECKING:
    from seqrnn.data.source import Source

BLANK = " \t\r\n"
NOT_BLANK = re.compile(f"[^{BLANK}]")
ADVICE = "give a list of objects, or one object a line"


class JsonFile(TableFormat):
    """Objects in a list, in a list that an object holds, or one after the other; read piece by piece."""

    is_json = True
    extensions = (".json",)
    line_is_row = False
    row_noun = "object"
    is_unmistakable = True
    has_lines = False  # as long as they may be

    def matches(self, lines: Sequence[str]) -> bool:
        """Whether a list of objects begins, or an object that goes over several lines."""
        start = "".join("".join(lines[:100])[:10_000].split())
        filled = [line for line in lines if line.strip()]
        spread = start.startswith('{"') and len(filled) > 1 and not is_object(filled[0])
        return start.startswith("[{") or spread

    def table(self, path: str, source: Source, open_lines: OpenLines) -> Table:  # noqa: ARG002
        """Open the file. Raises RowError, while rows are taken, for what is no JSON or no object.

        An object may be as long as a line, 16 MiB; the file may be of any length.
        """
        text = _Scanner(read_text(path, source.encoding_errors, source.encoding))
        listed = text.peek() == "[" or not text.holds_several()
        values = text.items() if text.peek() == "[" else text.members() if listed else text.objects()
        return Table((_row(value, source) for value in values), opening=["["] if listed else [])

    def writer(self, table: Table, style: AnswerStyle) -> AnswerWriter:
        """Return what writes a list of objects, or one after the other if the file has them so."""
        return ListWriter(style) if table.opening else ObjectWriter(style)


class ListWriter(AnswerWriter):
    """Writes a list, an object a line: each as it is, with further fields at its end."""

    def __init__(self, style: AnswerStyle) -> None:
        self._style = style
        self._last: str | None = None  # which a comma follows if another object does

    def begin(self, out: Sink) -> None:
        """Begin the list."""
        out.write_lines(["["])

    def write(self, examples: Sequence[Answered], out: Sink) -> None:
        """Write some objects."""
        texts = [*filter(None, [self._last]), *(object_line(*example, self._style) for example in examples)]
        out.write_lines(f"{text}," for text in texts[:-1])
        self._last = texts[-1] if texts else None

    def pause(self, out: Sink, examples_follow: bool) -> None:
        """Write the last object, and a comma if it is not the last of the list."""
        out.write_lines(f"{text}," if examples_follow else text for text in filter(None, [self._last]))

    def break_off(self, out: Sink) -> None:
        """Write the last object, and no end of the list."""
        out.write_lines(filter(None, [self._last]))

    def end(self, out: Sink) -> None:
        """End the list."""
        self.break_off(out)
        out.write_lines(["]"])


class _Value(NamedTuple):
    """A value of JSON, with the number of its first line and its text, or with what is wrong with it."""

    line: int
    value: Any
    text: str
    error: str | None = None


def _row(found: _Value, source: Source) -> Row:
    line, value, text, error = found
    if isinstance(value, dict):
        return Row(line, with_nested(value, source), None, text)
    error = error or f"a JSON {type(value).__name__}, expected an object; {ADVICE}"
    return Row(line, {}, error, text)


def _is_table(members: Mapping[str, Any]) -> bool:
    """Whether an object holds a table by its columns or classes: lists of texts or numbers, not of tokens."""
    lists = [value for value in members.values() if isinstance(value, list)]
    texts = [[item for item in each if isinstance(item, str) and " " in item.strip()] for each in lists]
    by_index = [value.keys() for value in members.values() if isinstance(value, dict)]
    if len(by_index) > 1 and by_index[0] and all(keys == by_index[0] for keys in by_index):
        return all(key.isdecimal() for key in by_index[0])  # as pandas writes columns if nothing is said
    if {"columns", "index", "data"} <= members.keys() or any(len(each) > 1 for each in texts):
        return True
    lengths = [len(each) for each in lists]
    return any(_are_cells(each) and lengths.count(len(each)) > 1 for each in lists)


def _are_cells(values: list[Any]) -> bool:
    """Whether several values, of which another list has as many, are the numbers of a row each."""
    return (
        len(values) > 1
        and all(isinstance(value, list | float | int) for value in values)
        and any(isinstance(value, list | float) for value in values)
    )


class _Scanner:
    """Takes values from a text that comes in pieces; each comes with the number of its line."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._text = ""
        self._at = 0
        self._line = 1
        self._decoder = json.JSONDecoder(**STRICT)
        self._lenient = json.JSONDecoder(parse_int=str)

    def items(self) -> Iterator[_Value]:
        """Take a list, item by item, with which the text ends."""
        yield from self._list()
        self._require_end()

    def objects(self) -> Iterator[_Value]:
        """Take one value after the other."""
        while self.peek():
            yield self._value()

    def members(self) -> Iterator[_Value]:
        """Take the items of the only list of objects in an object; without one, the object itself."""
        start, others, found = self._line, {}, None
        self._take("{")
        while self.peek() != "}":
            line, name, *_ = self._value()
            self._take(":")
            if self.peek() != "[":
                others[name] = self._sound_value()
            else:
                items = []
                for item in self._list():
                    if not isinstance(item.value, dict) and item.error is None:
                        items.append(item.value)
                        continue
                    if found not in {None, name}:
                        raise RowError(
                            line, f'two lists of objects, "{found}" and "{name}"; keep one of them'
                        )
                    found = name
                    yield item
                others[name] = items
            if self.peek() != "}":
                self._take(",")
        self._take("}")
        self._require_end()
        if found is None and others:
            if _is_table(others):
                what = "lists or columns, and no rows; give a list of objects, one a row"
                raise RowError(start, f"an object with {what} (pandas: to_json(orient='records'))")
            yield _Value(start, others, json.dumps(others, ensure_ascii=False))

    def holds_several(self) -> bool:
        """Whether another object comes after the first, which is then a row of its own."""
        self.peek()
        while len(self._text) < READ_SIZE and self._read():
            pass
        try:
            _, end = self._decoder.raw_decode(self._text, self._at)
        except (ValueError, RecursionError):
            return False  # it is longer than what was read
        return self._text[end:].lstrip(BLANK)[:1] == "{"

    def peek(self) -> str:
        """Return the next character that is not blank, without taking it, or nothing at the end."""
        while True:
            found = NOT_BLANK.search(self._text, self._at)
            self._skip((found.start() if found else len(self._text)) - self._at)
            if found or not self._read():
                return found[0] if found else ""

    def _list(self) -> Iterator[_Value]:
        self._take("[")
        while self.peek() != "]":
            yield self._value()
            if self.peek() != "]":
                self._take(",")
                if self.peek() == "]":
                    raise RowError(self._line, f"not valid JSON: a comma before the end of a list; {ADVICE}")
        self._take("]")

    def _sound_value(self) -> Any:
        line, value, _, error = self._value()
        if error is not None:
            raise RowError(line, error)
        return value

    def _value(self) -> _Value:
        self.peek()
        line = self._line
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
                text = self._text[self._at : end]
                check_characters(text, value)
            except (ValueError, RecursionError) as error:
                if len(self._text) - self._at > LINE_LIMIT:
                    raise RowError(line, f"an object of over 16 MiB, or not valid JSON; {ADVICE}") from error
                if (refused := self._refused(line, error)) is not None:
                    return refused
                if isinstance(error, RecursionError) or not self._read():
                    self._refuse(error)
                continue
            if end == len(self._text) and self._read():
                continue  # a number may go on
            self._skip(end - self._at)
            return _Value(line, value, text)

    def _refused(self, line: int, error: Exception) -> _Value | None:
        """Take a value that other readers would accept, such as NaN, as one with an error, if it is one."""
        if isinstance(error, RecursionError | json.JSONDecodeError):
            return None
        try:
            _, end = self._lenient.raw_decode(self._text, self._at)
        except (ValueError, RecursionError):
            return None
        text = self._text[self._at : end]
        self._skip(len(text))
        return _Value(line, None, text, f"not valid JSON: {error}; {ADVICE}")

    def _refuse(self, error: Exception) -> None:
        where = self._at
        if isinstance(error, json.JSONDecodeError):
            where = error.pos
            error = ValueError(error.msg)
        line = self._line + self._text.count("\n", self._at, where)
        raise RowError(line, f"not valid JSON: {error}; {ADVICE}") from error

    def _take(self, mark: str) -> None:
        found = self.peek()
        if found != mark:
            shown = repr(found) if found else "the end of the file"
            raise RowError(self._line, f"not valid JSON: {shown} where {mark!r} is expected; {ADVICE}")
        self._skip(1)

    def _require_end(self) -> None:
        if found := self.peek():
            raise RowError(self._line, f"not valid JSON: {found!r} after the end of the list; {ADVICE}")

    def _skip(self, count: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count

    def _read(self) -> bool:
        """Read on, if there is more."""
        piece = next(self._pieces, "")
        self._text, self._at = self._text[self._at :] + piece, 0
        return bool(piece)
