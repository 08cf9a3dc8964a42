"""Reads a small, safe part of YAML: mappings, lists and scalars, each with its line.

The pure-Python parser of PyYAML hands over events, and every limit is checked on them before a
value is built: nothing here can exhaust memory or the stack, and no tag can construct an object.
Anchors, aliases, merge keys, tags and second documents are refused, because a configuration
needs none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from msgspec import Struct

from seqrnn.errors import ConfigError

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_DIGITS = 400  # a double needs fewer; int() refuses 4,300 with an error of its own

NULLS = {"", "~", "null", "Null", "NULL"}
BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
LEADING_ZERO = re.compile(r"[-+]?0[oO]?[0-9_]+")


class Value(Struct, frozen=True):
    """A node of the document: `content` is a dict of values, a tuple of values, or a scalar."""

    content: Any
    line: int


class Ambiguous(Struct, frozen=True):
    """An unquoted scalar that readers of YAML disagree about, such as `no`, `010` or `12:30:45`."""

    text: str


def parse(text: str, name: str) -> Value:
    """Parse one YAML document; `name` is the file that errors shall name.

    Raises ConfigError, with `name:line`, for whatever is not plain YAML within the limits.
    """
    builder = _Builder(text)
    try:
        return builder.document()
    except _RefusedError as refusal:
        line, what = builder.line, str(refusal)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML; remove it"
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else builder.line
        what = f"not valid YAML ({error.problem or error.context}); check indentation and quotes"
    except (ValueError, OverflowError):  # PyYAML calls chr() on any eight hexadecimal digits
        line, what = builder.line, "an escape near here names no character; correct it"
    raise ConfigError(f"{name}:{line}: {what}")


def scalar(text: str) -> Any:
    """What an unquoted scalar means: None, bool, int, float, text or `Ambiguous`.

    Raises ValueError for a number with more than `MAX_DIGITS` characters.
    """
    if text in NULLS:
        return None
    if text in BOOLS:
        return BOOLS[text]
    if INTEGER.fullmatch(text) or FLOAT.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise ValueError(f"a number of {len(text):,} characters; write at most {MAX_DIGITS}")
        return int(text) if INTEGER.fullmatch(text) else float(text)
    if NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return Ambiguous(text) if _readers_disagree(text) else text


def is_plain_text(text: str) -> bool:
    """Whether every reader of YAML takes the text, written without quotes, for just this text."""
    try:
        return text.isprintable() and scalar(text) == text
    except ValueError:
        return False


def _readers_disagree(text: str) -> bool:
    """Whether YAML 1.1 reads something else than text, or a number is written with leading zeros."""
    rules = yaml.SafeLoader.yaml_implicit_resolvers.get(text[0], [])
    return bool(LEADING_ZERO.fullmatch(text)) or any(rule.match(text) for _, rule in rules)


class _RefusedError(Exception):
    """The document goes beyond the part of YAML that is read here."""


class _Builder:
    """Builds values straight from the parser's events; `line` is that of the last event."""

    def __init__(self, text: str) -> None:
        self.line = 1
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=yaml.SafeLoader))

    def document(self) -> Value:
        """The only document of the text; an empty one is a value that holds None."""
        self._next()  # the start of the stream
        if isinstance(self._next(), yaml.StreamEndEvent):
            return Value(None, 1)
        value = self._value(self._next(), 1)
        self._next()  # the end of the document
        if not isinstance(self._next(), yaml.StreamEndEvent):
            raise _RefusedError("a second document begins; keep one a file")
        return value

    def _next(self) -> Any:
        event = next(self._events)
        self.line = event.start_mark.line + 1
        return event

    def _value(self, event: Any, depth: int) -> Value:
        _check(event)
        if depth > MAX_DEPTH:
            raise _RefusedError(f"nested deeper than {MAX_DEPTH} levels; flatten it")
        line = self.line
        if isinstance(event, yaml.ScalarEvent):
            return Value(_content(event), line)
        if isinstance(event, yaml.SequenceStartEvent):
            return Value(tuple(self._items(depth)), line)
        return Value(self._mapping(depth), line)

    def _items(self, depth: int) -> Iterator[Value]:
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            yield self._value(event, depth + 1)

    def _mapping(self, depth: int) -> dict[str, Value]:
        values: dict[str, Value] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = _key(event)
            if key in lines:
                raise _RefusedError(f"{key}: is already on line {lines[key]}; remove one of the two")
            lines[key] = self.line
            values[key] = self._value(self._next(), depth + 1)
        return values


def _check(event: Any) -> None:
    """Refuse what a configuration does not need and an attacker might."""
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        raise _RefusedError("anchors (&) and aliases (*) are not read; write the value out, or quote it")
    if event.tag is not None:
        raise _RefusedError(f"tags ({event.tag}) are not read; remove it, or quote the value")


def _key(event: Any) -> str:
    _check(event)
    if not isinstance(event, yaml.ScalarEvent):
        raise _RefusedError("a list or a mapping instead of a key; write `key: value`")
    if event.value == "<<" and event.style is None:
        raise _RefusedError("merge keys (<<) are not read; write the keys out")
    return str(event.value)


def _content(event: yaml.ScalarEvent) -> Any:
    try:
        event.value.encode()
        return scalar(event.value) if event.style is None else event.value
    except UnicodeEncodeError:
        raise _RefusedError("an escape names half a surrogate pair; correct it") from None
    except ValueError as error:
        raise _RefusedError(str(error)) from None
