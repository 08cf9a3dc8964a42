r"""A file in blocks of some MiB, each of complete lines in UTF-8, without an object a line.

What is a line, and what is wrong with one, is told in `lines.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from seqrnn.data.encodings import Errors
from seqrnn.data.lines import LINE_LIMIT, decode_line, file_name, read_utf8, too_long
from seqrnn.data.text.joined_texts import NEWLINE


class LineBlock(NamedTuple):
    r"""Complete lines of a file: the bytes as they are there, the last line with or without its `\n`.

    `line` is how many lines of the file come before.
    """

    name: str
    line: int
    content: bytes

    @property
    def lines(self) -> list[bytes]:
        """Its lines."""
        return self.content.removesuffix(b"\n").split(b"\n")


def read_blocks(
    path: str,
    errors: Errors,
    size: int,
    encoding: str = "auto",
    taken: Callable[[int], None] = lambda _: None,
) -> Iterator[LineBlock]:
    """Return the lines of a file in blocks of at most `size` bytes, if no line is longer.

    The same file always comes in the same blocks. `taken` is told how many bytes of it each read gave.
    Raises DataError as `read_utf8` does and, if `errors` is "strict", where a line is longer than
    `LINE_LIMIT`; otherwise such a line is an empty one.
    """
    return _cut(read_utf8(path, errors, encoding, taken), file_name(path), errors, size)


def utf8_lines(block: LineBlock, errors: Errors) -> tuple[bytes, int]:
    r"""Return the lines of a block as UTF-8, each with `\n`, and how many bytes were wrong and became U+FFFD.

    Raises DataError at such a byte if `errors` is "strict".
    """
    content = block.content
    if is_utf8(content):
        if b"\r" in content:
            content = content.removesuffix(b"\n").replace(b"\r\n", b"\n").removesuffix(b"\r") + b"\n"
        return content if content.endswith(b"\n") else content + b"\n", 0
    numbered = enumerate(block.lines, block.line + 1)
    decoded = [decode_line(raw, (block.name, number), errors, content) for number, raw in numbered]
    text = "".join(f"{line.text}\n" for line in decoded)
    return text.encode(), sum(line.replaced for line in decoded)


def is_utf8(content: bytes) -> bool:
    """Whether bytes are UTF-8."""
    if content.isascii():
        return True
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _cut(chunks: Iterable[bytes], name: str, errors: Errors, size: int) -> Iterator[LineBlock]:
    held = b""
    line = 0  # how many come before those in `held`
    dropping = False  # the line that passed LINE_LIMIT, to its end
    for chunk in chunks:
        if dropping:
            end = chunk.find(b"\n")
            dropping = end < 0
            held += b"" if dropping else chunk[end:]
        else:
            held += chunk
        if len(held) > LINE_LIMIT and not -1 < held.find(b"\n") <= LINE_LIMIT:
            if errors == "strict":
                raise too_long(name, line + 1)
            end = held.find(b"\n")
            dropping = end < 0
            held = b"" if dropping else held[end:]
        while len(held) >= size and (end := _end_of_block(held, size)):
            content, held = held[:end], held[end:]
            yield LineBlock(name, line, content)
            line += int(np.count_nonzero(np.frombuffer(content, dtype=np.uint8) == NEWLINE))
    if held or dropping:
        yield LineBlock(name, line, held or b"\n")


def _end_of_block(held: bytes, size: int) -> int:
    """Return where the last line that `size` bytes hold ends, or else the first; 0 if it does not."""
    return held.rfind(b"\n", 0, size) + 1 or held.find(b"\n", size) + 1
