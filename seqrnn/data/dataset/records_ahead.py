"""The records of a large source, parsed by another process while this one works on those before.

Whatever the format, rows become the same records in the same order, so all that learns from them, divides
and encodes them knows nothing of it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Protocol, Self

from seqrnn.data.dataset.processes import Process, processes_for
from seqrnn.data.formats.record_reader import RecordReader, read_records
from seqrnn.data.grouping import batched
from seqrnn.data.lines import CopiedPath
from seqrnn.data.record import NO_FIELDS, Record, size_of
from seqrnn.data.source import Source

WAITING = 3  # batches that were asked for and are not yet fetched
KINDS = frozenset({"text", "label"})  # of sources whose records are made of texts alone


class Records(Protocol):
    """What gives records, any number of times, and then knows what it has passed over; see `RecordReader`."""

    blank: int
    replaced: int

    def __iter__(self) -> Iterator[Record]: ...


def read_ahead(
    source: Source, threads: int | None, taken: Callable[[int], None] = lambda _: None
) -> AbstractContextManager[Records]:
    """Return the records of a source: of a large one by another process, unless there is but one core.

    `taken` is told how many bytes of a file were read, whenever some were.
    """
    if source.kind in KINDS and processes_for(source, threads) > 1:
        return RecordsAhead(source, taken)
    return nullcontext(read_records(source, taken))


class RecordSender:
    """Reads records for another process, a batch at a time, as plain values that can be sent."""

    def __init__(self, source: Source) -> None:
        self._read = 0
        self._reader = RecordReader(source, self._count)
        self._batches: Iterator[list[Record]] = iter(())

    @classmethod
    def from_json(cls, text: str) -> RecordSender:
        """Make what `RecordsAhead` has described."""
        job = json.loads(text)
        settings: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in job["source"].items()
        }
        source, copies = Source(**settings), job["copies"]

        def named(path: str) -> str:
            return CopiedPath(path, copies[path]) if path in copies else path

        target = source.target_path and named(source.target_path)
        return cls(replace(source, paths=tuple(map(named, source.paths)), target_path=target))

    def begin(self) -> None:
        """Begin a pass."""
        self._batches = batched(self._reader, size_of)

    def more(self) -> tuple[list[tuple[Any, ...]], int, tuple[int, int, int]]:
        """Return some records, none at the end; the bytes read for them; and what the reader has counted."""
        records = next(self._batches, [])
        rows = [(record[0], record[1], record[2], record[3], record[6]) for record in records]
        read, self._read = self._read, 0
        return rows, read, (self._reader.blank, self._reader.replaced, self._reader.oversize)

    def _count(self, size: int) -> None:
        self._read += size


class RecordsAhead:
    """As a `RecordReader`, by a process that ends with the `with` block."""

    def __init__(self, source: Source, taken: Callable[[int], None]) -> None:
        self._taken = taken
        files = (*source.paths, source.target_path)
        copies = {path: path.original for path in files if isinstance(path, CopiedPath)}
        self._process = Process("records", json.dumps({"source": asdict(source), "copies": copies}))
        self._thread = ThreadPoolExecutor(1)
        self.blank = self.replaced = self.oversize = 0

    def __iter__(self) -> Iterator[Record]:
        """Start a pass; raises what `RecordReader` raises, and MemoryLimit where the process was ended."""
        self._thread.submit(self._process.call, "begin", ())
        waiting: deque[Future[Any]] = deque()
        while True:
            while len(waiting) <= WAITING:
                waiting.append(self._thread.submit(self._process.call, "more", ()))
            rows, read, counted = waiting.popleft().result()
            self._taken(read)
            self.blank, self.replaced, self.oversize = counted
            if not rows:
                return
            for source, targets, path, line, lines in rows:
                yield Record(source, targets, path, line, NO_FIELDS, None, lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.end()
        self._thread.shutdown(cancel_futures=True)
