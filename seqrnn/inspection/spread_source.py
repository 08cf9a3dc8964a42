"""Large files, of which blocks are read that are spread evenly; all others are seen as mere lines."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.dataset.line_blocks import LineBlock, read_blocks
from seqrnn.data.dataset.progress import bytes_in
from seqrnn.data.formats.registry import format_named
from seqrnn.data.lines import Line, decode_line, file_name
from seqrnn.data.source import Source

BLOCK = 1 << 18  # bytes
WHOLE = 64 << 20  # bytes that are read as rows
ROOM = 32 << 20  # bytes that are read as rows of what is larger

Watch = Callable[[LineBlock], None]


@dataclass(frozen=True)
class SpreadSource(Source):
    """A source of which every `step`-th block of lines is read; `watch` sees each block of a file."""

    step: int = 1
    watch: Watch = lambda _: None

    def lines(self, path: str, taken: Callable[[int], None] = lambda _: None) -> Iterator[Line]:
        """Yield the lines of the chosen blocks. A row in quotes that goes on in the next block is whole."""
        quotes, name = format_named(self.format).has_quotes, file_name(path)
        is_open = taking = False  # within quotes; a row that is read
        for number, block in enumerate(read_blocks(path, self.encoding_errors, BLOCK, self.encoding, taken)):
            self.watch(block)
            chosen = number % self.step == 0
            if not chosen and not taking:
                is_open ^= quotes and _is_odd(block.content)
                continue
            for line, raw in enumerate(block.lines, start=block.line + 1):
                taking = taking if is_open else chosen
                if taking:
                    yield decode_line(raw, (name, line), self.encoding_errors, block.content)
                is_open ^= quotes and _is_odd(raw)
            taking = taking and is_open


def _is_odd(content: bytes) -> bool:
    """Whether the quotes in it do not come in pairs."""
    return content.count(b'"') % 2 == 1


def step_of(source: Source) -> int:
    """Return of how many blocks one has to be read, so that about `ROOM` is; 1 where all must be."""
    layout = format_named(source.format)
    cuttable = layout.line_is_row or layout.is_cut_between_lines
    if not cuttable or source.target_path is not None or source.series_column is not None:
        return 1
    size = bytes_in(source.files)
    return 1 if size <= WHOLE else -(-size // ROOM)


def spread(source: Source, step: int, watch: Watch) -> SpreadSource:
    """Return the same source, of which one block in `step` is read."""
    return SpreadSource(**vars(source), step=step, watch=watch)


def checksums(lines: list[bytes]) -> NDArray[np.uint64]:
    """Return 64 bits of each line (n,), much faster than a hash and nearly as telling."""
    first = np.fromiter(map(zlib.crc32, lines), dtype=np.uint64, count=len(lines))
    second = np.fromiter(map(zlib.adler32, lines), dtype=np.uint64, count=len(lines))
    return first ^ (second << np.uint64(32))
