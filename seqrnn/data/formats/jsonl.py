"""JSON lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from seqrnn.data.fields.named_files import ARRAY_EXTENSION
from seqrnn.data.formats import LABEL_NAMES, NUMBER_NAMES, TEXT_NAMES
from seqrnn.data.formats.json_text import parse_json
from seqrnn.data.limits import LONGEST
from seqrnn.data.lines import Line
from seqrnn.data.record import Record
from seqrnn.data.text.tokens import join_tokens
from seqrnn.errors import DataError

TOKENS, TAGS = "tokens", "tags"  # lists, or strings, that go together item by item
FILE_NAMES = ("image", *NUMBER_NAMES)  # fields that may hold a path, which comes before any text

if TYPE_CHECKING:
    from seqrnn.data.source import Source


def read_jsonl(name: str, lines: Iterable[Line], source: Source) -> Iterator[Record]:
    """Yield each object as a record that carries the whole object in `fields`.

    A list of tokens becomes a text in which they stand apart by a space; a list of numbers, or one
    a time step, becomes the steps of a record.

    Raises DataError at a line that is no JSON object, has no text, or a label of another kind than
    a string, a number, a truth value, null (no label) or a list of strings.
    """
    for line in lines:
        place = f"{name}:{line.number}"
        if not line.text.strip():
            yield Record("", (), name, line.number)
            continue
        fields = _parse(line.text, place)
        steps = steps_in(fields, source.kind, source.text_column)
        column = source.text_column
        if column is None and source.kind in FILE_NAMES and source.kind in fields:
            column = source.kind
        if steps is None and source.kind in NUMBER_NAMES and not _names_array(fields, column):
            raise DataError(f"{place}: {without_numbers(source.kind, source.text_column)}")
        text = _text(fields, column, place) if steps is None else ""
        yield Record(text, _labels(fields, source, place), name, line.number, fields, steps)


def _names_array(fields: dict[str, Any], column: str | None) -> bool:
    value = None if column is None else fields.get(column)
    return isinstance(value, str) and value.endswith(ARRAY_EXTENSION)


def _parse(text: str, place: str) -> dict[str, Any]:
    try:
        fields = parse_json(text)
        if "\\u" in text:
            json.dumps(fields, ensure_ascii=False).encode()  # half a surrogate pair is no character
    except ValueError as error:
        raise DataError(f"{place}: not valid JSON: {error}; write one object a line") from error
    if not isinstance(fields, dict):
        raise DataError(
            f"{place}: a JSON {type(fields).__name__}, expected an object; write one object a line"
        )
    return fields


def _text(fields: dict[str, Any], column: str | None, place: str) -> str:
    key = column or next((name for name in text_names(fields) if name in fields), None)
    if key not in fields:
        raise DataError(f"{place}: {_missing(fields, key or 'text')}; use --text-col to name the text")
    text = text_of(fields[key])
    if text is None:
        raise DataError(f'{place}: "{key}" is no string or list of strings; use --text-col to name the text')
    return text


def steps_in(fields: dict[str, Any], kind: str, column: str | None = None) -> list[Any] | None:
    """Return the numbers of an object, a list a time step, or None where `kind` is not read or not there.

    They stand in the field `column` or in the one that bears the name of the kind; of kind "auto" any
    will do. A list that holds no lists is a series of single numbers if these are vectors, else it is
    one step.
    """
    if kind not in {"auto", *NUMBER_NAMES}:
        return None
    names = (column,) if column else NUMBER_NAMES if kind == "auto" else (kind,)
    name = next((name for name in names if isinstance(fields.get(name), list)), None)
    if name is None or any(isinstance(item, str) for item in fields[name]):
        return None
    value: list[Any] = fields[name]
    if not value or any(isinstance(item, list) for item in value):
        return value
    # Nothing reads beyond one step more than an example may have; a list for each would cost much memory.
    return [[item] for item in value[: LONGEST + 1]] if "vectors" in {kind, name} else [value]


def without_numbers(kind: str, column: str | None) -> str:
    """Say that `steps_in` has found nothing of a kind."""
    return f'no numbers in the field "{column or kind}"; name it with --text-col'


def text_names(fields: dict[str, Any]) -> tuple[str, ...]:
    """Return the usual names of the field that holds the text of an object, the likeliest first."""
    return (TOKENS, *TEXT_NAMES) if isinstance(fields.get(TOKENS), str | list) else TEXT_NAMES


def text_of(value: object) -> str | None:
    """Return the text of a field, which is a string or a list of tokens, or None where it is neither."""
    match value:
        case str(text):
            return text
        case list(tokens) if all(isinstance(token, str) for token in tokens):
            return join_tokens(tokens)
    return None


def _labels(fields: dict[str, Any], source: Source, place: str) -> tuple[str, ...]:
    names = (TAGS, *LABEL_NAMES) if TOKENS in fields else LABEL_NAMES
    key = source.label_column or next((name for name in names if name in fields), None)
    if key is None:
        return ()
    if key not in fields:
        raise DataError(f"{place}: {_missing(fields, key)}; use --label-col to name the label")
    match fields[key]:
        case None:
            return ()
        case str(label):
            return source.split_labels(label)
        case int() | float() as scalar:
            return (json.dumps(scalar),)
        case list(labels) if all(isinstance(label, str) for label in labels):
            return tuple(labels)
    raise DataError(
        f'{place}: "{key}" is no label; give a string, a number, true, false or a list of strings'
    )


def _missing(fields: dict[str, Any], key: str) -> str:
    return f'no field "{key}", the fields are {", ".join(fields) or "none"}'
