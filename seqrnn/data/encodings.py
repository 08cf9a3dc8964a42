r"""Bytes in any encoding to UTF-8, and any line ends to `\n`, chunk by chunk.

UTF-8, which nearly all files are, passes through untouched. A byte-order mark tells UTF-16 and UTF-32,
and comes before what a user says; without one, everything but UTF-8 has to be named.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Literal

from seqrnn.errors import DataError

Errors = Literal["strict", "replace"]

MARKS = (  # UTF-32's little-endian mark begins as UTF-16's does
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8"),
)
BINARY = {
    b"PAR1\x15": "is a parquet file; use `data.format=parquet`",
    b"PK\x03\x04": "is a zip file; give .npz files by name, and save other tables as CSV",
    b"\xfd7zXZ\x00": "is compressed by xz; pipe it (xzcat FILE | seqrnn ...), or compress it by gzip",
    b"\x28\xb5\x2f\xfd": "is compressed by zstd; pipe it (zstdcat FILE | seqrnn ...), or compress it by gzip",
    **{
        b"BZh%d1AY&SY" % level: "is compressed by bzip2; pipe it (bzcat FILE | seqrnn ...), or use gzip"
        for level in range(1, 10)
    },
    b"7z\xbc\xaf\x27\x1c": "is a 7z archive; unpack it first",
    b"SQLite format 3\x00": "is an SQLite database; export the table as CSV (sqlite3 -csv -header)",
    b"\x89HDF\r\n\x1a\n": "is an HDF5 file; save what it holds as CSV, .npz or parquet",
    b"ARROW1\x00\x00": "is an Arrow file; save the table as parquet",
    b"%PDF-": "is a PDF file; save its text",
    **dict.fromkeys(
        (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1", b"GIF87a", b"GIF89a"),
        "is an image; a row is the path of one (echo FILE | seqrnn ...), and so is a cell of a table",
    ),
    **{
        bytes((0x80, protocol)): "is a pickle, which may run code; save the table as CSV or parquet"
        for protocol in range(2, 6)
    },
}
"""How files of no text begin, and what to do with them."""
LONGEST_MARK = 5  # bytes that are waited for; a file brings more at once
SAMPLE = 4096  # bytes that are looked at for UTF-16 without a mark
MOST_UNDECIDED = 1 << 20  # bytes without a newline, after which carriage returns are line ends
WIDE = ("utf-16-le", "utf-16-be")
MOST_TELLING = 20_000  # bytes that an encoding is told from
LIKELY = 0.9  # times the confidence in the likeliest encoding
MOST_READINGS = 3
FEW = 5  # bytes that are not ASCII, which tell nothing
USUAL = "cp1252"  # where nothing tells the encoding
LONGEST_WORD = 20  # characters that are shown
PUNCTUATION = ".,;:!?\"'()"

BAD_BYTE = "\udcff"  # encoded by "surrogateescape" as 0xFF, which is nowhere part of UTF-8
MARKED = "seqrnn.mark_bad_bytes"


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return BAD_BYTE * (error.end - error.start), error.end


codecs.register_error(MARKED, _mark)


def to_utf8(chunks: Iterator[bytes], name: str, encoding: str, errors: Errors) -> Iterator[bytes]:
    r"""Yield the content of the file `name` as UTF-8 without a byte-order mark, whose lines end with `\n`.

    If `errors` is "replace", a byte that `encoding` does not have becomes 0xFF. Raises DataError if it is
    "strict" and there is such a byte, and where a file looks like another encoding than it is read in.
    Empty chunks, which say that there is a wait, are passed on.
    """
    start, chunks = _start(chunks, LONGEST_MARK)
    for magic, what in BINARY.items():
        if start.startswith(magic):
            raise DataError(f"{name}: {what}")
    mark, marked = next(((mark, codec) for mark, codec in MARKS if start.startswith(mark)), (b"", encoding))
    whole = chain((start,), chunks) if start else chunks
    if marked == "utf-8" and mark:
        rest = start.removeprefix(mark)
        whole = chain((rest,), chunks) if rest else chunks
    elif marked == "auto":
        _refuse_wide(start, name)
    if marked == "auto" or codecs.lookup(marked).name in {"utf-8", "utf-8-sig"}:
        return _with_newlines(whole, name, errors)
    return _with_newlines(_Transcoder(name, marked, errors).run(whole), name, errors)


def _start(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Take the first `size` bytes, or more, or all that come before the first wait if they are a line."""
    start = b""
    for chunk in chunks:
        if not chunk and b"\n" in start:
            return start, chain((b"",), chunks)
        start += chunk
        if len(start) >= size:
            break
    return start, chunks


def _refuse_wide(start: bytes, name: str) -> None:
    """Raise DataError for what looks like UTF-16 without a mark, which may be valid UTF-8 full of NULs."""
    if (codec := wide_encoding(start[:SAMPLE])) is not None:
        raise DataError(
            f"{name}:1:1: looks like UTF-16 without a byte-order mark; use `data.encoding` {codec}"
        )


def wide_encoding(sample: bytes) -> str | None:
    """Return which UTF-16 some bytes are, if they are a text in it and hold NULs as UTF-8 hardly does."""
    nuls = [sample[parity::2].count(0) for parity in (1, 0)]
    codec = WIDE[nuls[0] < nuls[1]]
    if len(sample) < LONGEST_MARK or max(nuls) == 0 or min(nuls) > 0:
        return None
    try:
        text = codecs.getincrementaldecoder(codec)().decode(sample)
    except UnicodeDecodeError:
        return None
    return codec if _is_plain(text) else None


def _is_plain(text: str) -> bool:
    """Whether a text has no characters that none has: control codes, and what is not assigned."""
    return all(char in "\t\r\n" or unicodedata.category(char) not in {"Cc", "Cn", "Co"} for char in text)


def guess(line: bytes, around: bytes = b"") -> str:
    """Say which encodings are worth a try for a line that is not UTF-8, and how each would read a word.

    `around` are the bytes of the file around it, which tell more about its language.
    """
    if (codec := wide_encoding(line + b"\n" * (len(line) % 2))) is not None:
        return f"`data.encoding` {codec}"
    lines = (each for each in around.split(b"\n")[1:-1] if not each.isascii())
    readings = _readings(b"\n".join([line, *lines])[:MOST_TELLING])
    words = zip(*(text.split() for text in readings.values()), strict=False)
    shown = max(words, key=lambda each: (len(set(each)), not each[0].isascii()), default=())
    tried = [
        f"`data.encoding={codec}` ({word.strip(PUNCTUATION)[:LONGEST_WORD]})"
        for codec, word in zip(readings, shown, strict=False)
    ]
    return " or ".join(tried) or "`data.encoding` with its name"


def _readings(sample: bytes) -> dict[str, str]:
    """Return the likeliest encodings of a text, and the text in each; those that agree are one."""
    try:
        from chardet import EncodingEra, detect_all
    except ImportError:  # what only answers comes without
        return {}
    eras = EncodingEra.MODERN_WEB | EncodingEra.LEGACY_ISO | EncodingEra.DOS
    found = detect_all(sample, ignore_threshold=True, encoding_era=eras, compat_names=False)
    likely = [each["encoding"] for each in found if each["confidence"] >= LIKELY * found[0]["confidence"]]
    if sum(byte > 127 for byte in sample) < FEW:
        likely.insert(0, USUAL)
    readings: dict[str, str] = {}
    for name in filter(None, likely[:MOST_READINGS]):
        with suppress(LookupError, UnicodeDecodeError):
            text = codecs.getincrementaldecoder(name)().decode(sample)  # whose last character may be cut
            if text not in readings.values() and _is_plain(text):
                readings[name] = text
    return readings


class _Transcoder:
    """Decodes chunks that end anywhere, and knows the position of the byte that is next."""

    def __init__(self, name: str, encoding: str, errors: Errors) -> None:
        self._name = name
        self._encoding = encoding
        self._errors = errors
        self._decoder = codecs.getincrementaldecoder(encoding)(errors if errors == "strict" else MARKED)
        self._line, self._column = 1, 1
        self._may_be_utf8 = (
            len(bytes(range(128, 256)).decode(encoding, "replace")) == 128
        )  # a byte a character

    def run(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield what chunks hold, as UTF-8."""
        for chunk in chunks:
            if self._may_be_utf8 and not chunk.isascii():
                self._may_be_utf8 = False
                if _holds_utf8(chunk):
                    yield from self._in_utf8(chunk, chunks)
                    return
            if not chunk or (text := self._decode(chunk, final=False)):
                yield text if chunk else chunk
        if text := self._decode(b"", final=True):
            yield text

    def _in_utf8(self, chunk: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
        if self._errors == "strict":
            line = self._line + chunk.count(b"\n", 0, re.search(rb"[\x80-\xff]", chunk).start())  # type: ignore[union-attr]
            what = f"is UTF-8, and not {self._encoding}"
            raise DataError(f"{self._name}:{line}: {what}; use `data.encoding=utf-8`")
        yield from chain((chunk,), chunks)

    def _decode(self, chunk: bytes, final: bool) -> bytes:
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(self._encoding, "replace")
            self._advance(before.removeprefix("\ufeff"))
            what = f"not {self._encoding} (byte 0x{error.object[error.start]:02x})"
            advice = "try another `data.encoding`, or convert the file to UTF-8"
            raise DataError(f"{self._name}:{self._line}:{self._column}: {what}; {advice}") from error
        except UnicodeError as error:  # of a codec that begins with a mark, where there is none
            raise DataError(
                f"{self._name}:1:1: not {self._encoding} ({error}); use `data.encoding=auto`"
            ) from error
        self._advance(text)
        return text.encode("utf-8", "surrogateescape")

    def _advance(self, text: str) -> None:
        if self._errors != "strict":
            return
        newlines = text.count("\n")
        self._line += newlines
        tail = text.rpartition("\n")[2]
        width = len(tail.encode(_without_mark(self._encoding), "replace"))
        self._column = width + (1 if newlines else self._column)


def _without_mark(encoding: str) -> str:
    return {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(codecs.lookup(encoding).name, encoding)


def _holds_utf8(chunk: bytes) -> bool:
    """Whether bytes over 127, up to the end of the chunk, are those of UTF-8."""
    try:
        return not codecs.getincrementaldecoder("utf-8")().decode(chunk).isascii()
    except UnicodeDecodeError:
        return False


def _with_newlines(chunks: Iterable[bytes], name: str, errors: Errors) -> Iterator[bytes]:
    r"""Turn the carriage returns of a file without any `\n` into `\n`."""
    held = b""
    chunks = iter(chunks)
    for chunk in chunks:
        held += chunk
        if b"\n" in chunk or (len(held) >= MOST_UNDECIDED and b"\r" not in held[:-1]):
            yield held
            yield from chunks
            return
        if not chunk:
            yield chunk
        elif len(held) >= MOST_UNDECIDED:
            break
    yield from _converted(chain((held,), chunks) if held else chunks, name, errors)


def _converted(chunks: Iterable[bytes], name: str, errors: Errors) -> Iterator[bytes]:
    line = 1
    for chunk in chunks:
        if b"\n" in chunk and errors == "strict":
            line += chunk.count(b"\r", 0, chunk.index(b"\n"))
            what = r"lines before this one end with \r, this one with \n"
            raise DataError(rf"{name}:{line}: {what}; end all lines with \n")
        line += chunk.count(b"\r")
        yield chunk.replace(b"\r", b"\n")
