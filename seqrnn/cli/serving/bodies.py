"""The rows in the body of a request: JSON lines, or one object with a list of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from seqrnn.cli.rows import InputRow
from seqrnn.cli.serving.answerer import REQUEST, Answerer
from seqrnn.cli.serving.limits import BodyShare
from seqrnn.data.lines import lines_in
from seqrnn.errors import ModelError
from seqrnn.strict_json import parse_object

JSON = "application/json"
TEXT = "text/plain"
LINES = (
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    TEXT,
)
OBJECT = '{"rows": [...]}'
ADVICE = f"send {OBJECT}"


def kind_of(request: Request) -> str:
    """Return the media type of a body. Raises HTTPException where it is neither of lines nor of an object."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HTTPException(415, "the body is compressed; send it as it is")
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if kind not in {JSON, *LINES}:
        raise HTTPException(415, f"Content-Type: give {JSON} for {OBJECT}, or {LINES[0]} for a row a line")
    return kind


async def read_body(request: Request, share: BodyShare) -> bytes:
    """Return the body, whose bytes are counted as they come. Raises HTTPException for too many."""
    told = request.headers.get("content-length", "")
    if told.isdecimal():
        share.expect(int(told))
    content = bytearray()
    try:
        async for chunk in request.stream():
            share.add(len(chunk))
            content += chunk
    except ClientDisconnect:
        raise HTTPException(400, "the body ended too early") from None
    share.is_whole = True
    return bytes(content)


def rows_in(content: bytes, kind: str, most: int, answerer: Answerer) -> list[InputRow]:
    """Return the rows of a body of that media type. Raises HTTPException for what it should not be."""
    if kind == JSON:
        return rows_in_object(content, most, answerer)
    return rows_in_lines(content, most, answerer, kind != TEXT)


def rows_in_lines(content: bytes, most: int, answerer: Answerer, is_json: bool) -> list[InputRow]:
    """Return the row of each line; if it `is_json`, strings and lists are such.

    Raises HTTPException for too many of them.
    """
    _check_count(content.rstrip(b"\n").count(b"\n") + 1 if content else 0, most)
    return answerer.read_lines(lines_in(content, REQUEST, answerer.layout.encoding), is_json)


def rows_in_object(content: bytes, most: int, answerer: Answerer) -> list[InputRow]:
    """Return the rows of an object. Raises HTTPException for one that is malformed or has too many rows."""
    try:
        given = parse_object(content, Path("body"), ADVICE)
    except ModelError as error:
        raise HTTPException(400, str(error)) from None
    rows = given.get("rows")
    if not isinstance(rows, list) or len(given) > 1:
        raise HTTPException(400, f"body: {_found(given)}; {ADVICE}")
    _check_count(len(rows), most)
    return answerer.read_values(rows)


def _found(given: dict[str, Any]) -> str:
    unknown = next((name for name in given if name != "rows"), None)
    return 'no list "rows"' if unknown is None else f'unknown key "{unknown[:100]}"'


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise HTTPException(413, f"{count:,} rows; send at most {most:,} at once")
