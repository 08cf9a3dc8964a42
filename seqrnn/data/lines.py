r"""Bytes to lines, in the groups in which they arrive.

Only `\n` ends a line, or `\r` in a file that has no `\n`: every other character, U+2028 and NUL
included, is data. What is not UTF-8 is made so first (`encodings.py`).
Gzip is recognised by its first bytes, so it works on stdin and FIFOs too.
A line never costs more memory than `LINE_LIMIT`, however long it is.
"""

from __future__ import annotations

import os
import select
import zlib
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple, Self

from seqrnn.data.encodings import Errors, guess, to_utf8
from seqrnn.errors import DataError

READ_SIZE = 1 << 20  # bytes
LINE_LIMIT = 16 << 20  # bytes
GZIP_MAGIC = b"\x1f\x8b"
GZIP_FORMAT = 31  # zlib's window size for "with a gzip header"

CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
NOT_ASCII = bytes(range(0x80, 0x100))
BREAKS = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t"})

UNREADABLE = "give a file that exists and can be read"


class Line(NamedTuple):
    r"""One line without its `\n`.

    `number` counts from 1, `replaced` is how many bytes were not UTF-8 and became U+FFFD, and
    `error` says why `text` is empty where the line could not be kept.
    """

    number: int
    text: str
    replaced: int = 0
    error: str | None = None


class CopiedPath(str):
    """The path of a copy of what can be read only once; in messages it goes by the `original`'s name."""

    __slots__ = ("original",)

    original: str

    def __new__(cls, path: str, original: str) -> Self:
        """Take the copy's path, and what messages call it."""
        copied = super().__new__(cls, path)
        copied.original = original
        return copied

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        """Return what a copy of this object is made of."""
        return str(self), self.original


def in_one_cell(text: str) -> str:
    r"""Return a text as it can be one cell of a line: `\n`, `\r` and TAB are written as escapes."""
    return text.translate(BREAKS)


def printable(text: str) -> str:
    """The text with its control characters written as escapes, so that none reaches a terminal."""
    return text.translate(CONTROLS)


def file_name(path: str | None) -> str:
    """What messages call the file at `path`: stdin, where that is None or `-`; a copy as its original."""
    if isinstance(path, CopiedPath):
        return path.original
    return "stdin" if path is None or path == "-" else path


def read_lines(
    path: str | None, errors: Errors, encoding: str = "auto", taken: Callable[[int], None] = lambda _: None
) -> Iterator[Line]:
    """Yield the lines of a file, or of stdin where `path` is None or `-`; see `read_line_groups`."""
    return chain.from_iterable(read_line_groups(path, errors, encoding, taken))


def read_line_groups(
    path: str | None,
    errors: Errors,
    encoding: str = "auto",
    taken: Callable[[int], None] = lambda _: None,
    *,
    skip: int = 0,
) -> Iterator[list[Line]]:
    """Yield lines as they arrive: a slow producer's line at once, a file's by the thousand.

    The first `skip` lines are left out and not decoded; the others keep their numbers.

    An empty group says that reading on would block: what is in hand should be finished first.
    One trailing carriage return and a byte-order mark at byte 0 are not part of a line. A last
    line without a newline is a line like any other.

    In `encoding` "auto", a byte-order mark tells UTF-16 from UTF-8. `taken` is told how many bytes of the
    file each read gave.

    Raises DataError where the file cannot be read, where its gzip data is damaged and, if
    `errors` is "strict", at a byte that is not of the encoding and at a line longer than `LINE_LIMIT`.
    """
    splitter = _LineSplitter(file_name(path), errors, skip)
    for chunk in _after_lines(skip, read_utf8(path, errors, encoding, taken)):
        lines = splitter.feed(chunk)
        if lines or not chunk:
            yield lines
    if lines := splitter.finish():
        yield lines


def count_lines(path: str | None, encoding: str = "auto") -> int:
    """Count the lines that `read_line_groups` yields, up to where a file is damaged if it is.

    Raises DataError where none can be read.
    """
    lines, last = 0, b"\n"
    try:
        for chunk in read_utf8(path, "replace", encoding):
            lines, last = lines + chunk.count(b"\n"), chunk[-1:] or last
    except DataError:
        if not lines:
            raise
        return lines
    return lines + (last != b"\n")


def lines_in(content: bytes, name: str, encoding: str = "auto") -> list[Line]:
    """Return the lines of bytes in hand, as those of a file of this name; gzip is not recognised.

    What is not of the encoding becomes U+FFFD.
    """
    splitter = _LineSplitter(name, "replace", 0)
    lines = [
        line
        for chunk in to_utf8(iter((content,)), name, encoding, "replace")
        for line in splitter.feed(chunk)
    ]
    return lines + splitter.finish()


def read_text(path: str | None, errors: Errors, encoding: str = "auto") -> Iterator[str]:
    """Yield the text of a file in pieces of no certain size. Raises DataError as `read_line_groups` does."""
    name = file_name(path)
    decoder = getincrementaldecoder("utf-8")(errors)
    line = 1
    for chunk in chain(read_utf8(path, errors, encoding), (b"",)):
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            before, raw = error.object[: error.start], error.object
            line += before.count(b"\n")
            column = len(before) - before.rfind(b"\n")
            what = f"not UTF-8 (byte 0x{raw[error.start]:02x}) in this line"
            word = len(before.rstrip(NOT_ASCII))
            around = raw[max(0, word - 100) : word + 1000]
            advice = f"try {guess(around)}, or convert the file to UTF-8"
            raise DataError(f"{name}:{line}:{column}: {what}; {advice}") from error
        if text:
            line += text.count("\n")
            yield text


def read_utf8(
    path: str | None, errors: Errors, encoding: str = "auto", taken: Callable[[int], None] = lambda _: None
) -> Iterator[bytes]:
    """Do as `read_chunks`, inflate what gzip has compressed, and make UTF-8 of it; see `to_utf8`."""
    name = file_name(path)
    return to_utf8(_decompress(read_chunks(path, taken), name), name, encoding, errors)


def read_chunks(path: str | None, taken: Callable[[int], None] = lambda _: None) -> Iterator[bytes]:
    """Yield the bytes of a file as they arrive, at most `READ_SIZE` at a time.

    Before a read that would block it yields no bytes. `taken` is told how many bytes each read gave.

    Raises DataError, with the system's reason, where the file cannot be read.
    """
    name = file_name(path)
    descriptor = 0
    try:
        if path is not None and path != "-":
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        ready = select.poll()
        ready.register(descriptor, select.POLLIN)
        while True:
            if not ready.poll(0):
                yield b""
                ready.poll()
            if not (chunk := os.read(descriptor, READ_SIZE)):
                return
            taken(len(chunk))
            yield chunk
    except (OSError, ValueError) as error:  # ValueError: a path that holds a NUL
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{name}: {reason}; {UNREADABLE}") from error
    finally:
        if descriptor > 0:
            os.close(descriptor)


def _after_lines(count: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Leave out the first `count` lines of UTF-8."""
    for chunk in chunks:
        if not count:
            yield chunk
        elif (ended := chunk.count(b"\n")) < count:
            count -= ended
        else:
            yield chunk.split(b"\n", count)[-1]
            count = 0


def _decompress(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Inflate the chunks if they begin as gzip does, else pass them on as they are."""
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) >= len(GZIP_MAGIC) or not GZIP_MAGIC.startswith(start):
            break
    chunks = chain((start,), chunks) if start else chunks
    return _inflate(chunks, name) if start.startswith(GZIP_MAGIC) else chunks


def _inflate(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Inflate one gzip member after the other, at most `READ_SIZE` bytes at a time."""
    member = zlib.decompressobj(GZIP_FORMAT)
    started = False  # inside a member: the data must not end here
    try:
        for chunk in chunks:
            if not chunk:
                yield chunk  # there is a wait
            data = chunk
            while data:
                if member.eof:
                    member, started = zlib.decompressobj(GZIP_FORMAT), False
                if not started:
                    data = data.lstrip(b"\0")  # tapes fill the last block with zeros
                started = started or bool(data)
                yield from _inflate_member(member, data)
                data = member.unused_data
    except zlib.error as error:
        raise DataError(f"{name}: damaged gzip data ({error}); compress the file again") from error
    if started and not member.eof:
        raise DataError(f"{name}: gzip data ends too early; copy or compress the file again")


def _inflate_member(member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """Yield what `data` inflates to; what comes after the member's end is left in `unused_data`."""
    text = member.decompress(data, READ_SIZE)
    while text:
        yield text
        text = member.decompress(member.unconsumed_tail, READ_SIZE)


class _LineSplitter:
    """Puts lines together from chunks that end anywhere."""

    def __init__(self, name: str, errors: Errors, skipped: int) -> None:
        self._name = name
        self._errors = errors
        self._number = skipped  # of the last complete line
        self._held = bytearray()  # the beginning of the next line
        self._too_long = False  # the next line passed LINE_LIMIT and is not held any more
        self._around = b""

    def feed(self, chunk: bytes) -> list[Line]:
        """Return the lines that `chunk` completes."""
        self._around = chunk
        head, newline, rest = chunk.partition(b"\n")
        self._hold(head)
        if not newline:
            return []
        body, newline, tail = rest.rpartition(b"\n")
        lines = [self._held_line()]
        if newline:
            lines += self._decode(body)
        self._hold(tail)
        return lines

    def finish(self) -> list[Line]:
        """Return the last line, if the file did not end with a newline."""
        return [self._held_line()] if self._held or self._too_long else []

    def _hold(self, piece: bytes) -> None:
        if self._too_long:
            return
        if len(self._held) + len(piece) <= LINE_LIMIT:
            self._held += piece
        elif self._errors == "replace":
            self._held.clear()
            self._too_long = True
        else:
            raise too_long(self._name, self._number + 1)

    def _held_line(self) -> Line:
        if self._too_long:
            self._too_long = False
            self._number += 1
            return Line(self._number, "", 0, "the line is longer than 16 MiB")
        line = self._decode(bytes(self._held))[0]
        self._held.clear()
        return line

    def _decode(self, body: bytes) -> list[Line]:
        """Decode complete lines, the last of them without its newline."""
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return [self._decode_line(raw) for raw in body.split(b"\n")]
        texts = text.replace("\r\n", "\n").removesuffix("\r").split("\n")
        start = self._number + 1
        self._number += len(texts)
        return [Line(number, text) for number, text in enumerate(texts, start)]

    def _decode_line(self, raw: bytes) -> Line:
        self._number += 1
        return decode_line(raw, (self._name, self._number), self._errors, self._around)


def decode_line(raw: bytes, location: tuple[str, int], errors: Errors, around: bytes = b"") -> Line:
    """Return the line of a file's name and number. Raises DataError as `read_line_groups` does.

    `around` are the bytes of the file around it.
    """
    name, number = location
    try:
        return Line(number, raw.decode().removesuffix("\r"))
    except UnicodeDecodeError as error:
        if errors == "strict":
            what = f"{name}:{number}:{error.start + 1}: not UTF-8 (byte 0x{raw[error.start]:02x})"
            advice = f"try {guess(raw, around)}, or convert the file to UTF-8"
            raise DataError(f"{what}; {advice}") from error
    text = raw.decode(errors="replace").removesuffix("\r")
    return Line(number, text, len(raw) - len(raw.decode(errors="ignore").encode()))


def too_long(name: str, number: int) -> DataError:
    """Return the error at a line longer than `LINE_LIMIT`."""
    return DataError(f"{name}:{number}: a line of over 16 MiB; break it up, lines end at \\n only")
