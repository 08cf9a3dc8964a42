"""Rows of concurrent requests, answered together: while one batch is computed, the next one gathers."""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import islice
from typing import NamedTuple

from starlette.exceptions import HTTPException

from seqrnn.answering.row_batches import MAX_ROWS
from seqrnn.cli.exits import describe, report
from seqrnn.cli.rows import InputRow
from seqrnn.cli.serving.answerer import JsonAnswer
from seqrnn.cli.serving.limits import Limits, busy
from seqrnn.cli.serving.metrics import Metrics

Answers = Callable[[Sequence[InputRow]], list[JsonAnswer]]


class _Request(NamedTuple):
    rows: Sequence[InputRow]
    answers: asyncio.Future[list[str]]


class Batcher:
    """Answers the rows of requests in the order of their arrival, several requests together.

    Nothing waits for a batch to fill: whatever has come when a thread is free is the next batch.
    """

    def __init__(
        self, answers: Answers, limits: Limits, metrics: Metrics, threads: int, debug: bool = False
    ) -> None:
        """Answer by `answers`, in so many threads; `debug` shows the traceback of a failure."""
        self._debug = debug
        self._answers = answers
        self._limits = limits
        self._metrics = metrics
        self._threads = threads
        self._waiting: deque[_Request] = deque()
        self._rows = 0  # that wait
        self._arrived = asyncio.Condition()
        metrics.watch(lambda: self._rows)

    @property
    def is_full(self) -> bool:
        """Whether more rows may be too many."""
        return self._rows >= self._limits.queue

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer as long as the context lasts."""
        pool = ThreadPoolExecutor(self._threads, "answering")
        workers = [asyncio.create_task(self._work(pool)) for _ in range(self._threads)]
        try:
            yield
        finally:
            for worker in workers:
                worker.cancel()
            pool.shutdown(wait=False, cancel_futures=True)

    async def ask(self, rows: Sequence[InputRow]) -> list[str]:
        """Return a line of JSON for each row. Raises HTTPException where too many wait already."""
        if not rows:
            return []
        if self._rows + len(rows) > self._limits.queue:
            raise busy(f"{self._rows:,} rows are waiting")
        request = _Request(rows, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        self._rows += len(rows)
        async with self._arrived:
            self._arrived.notify()
        return await request.answers

    async def _work(self, pool: ThreadPoolExecutor) -> None:
        """Take batch after batch."""
        while True:
            async with self._arrived:
                await self._arrived.wait_for(lambda: bool(self._waiting))
                batch = self._take()
            if batch:
                await self._answer(batch, pool)

    def _take(self) -> list[_Request]:
        """Take what waits, up to `MAX_ROWS` rows but for a single request; drop what nobody waits for."""
        batch: list[_Request] = []
        taken = 0
        while self._waiting and (not batch or taken + len(self._waiting[0].rows) <= MAX_ROWS):
            request = self._waiting.popleft()
            self._rows -= len(request.rows)
            if not request.answers.done():
                batch.append(request)
                taken += len(request.rows)
        return batch

    async def _answer(self, batch: list[_Request], pool: ThreadPoolExecutor) -> None:
        """Answer requests together or, should that fail, each by itself: none fails for another's rows."""
        rows = [row for request in batch for row in request.rows]
        self._metrics.batches.observe(len(rows))
        try:
            found = await asyncio.get_running_loop().run_in_executor(pool, self._answers, rows)
        except asyncio.CancelledError:
            for request in batch:
                request.answers.cancel()
            raise
        except BaseException as error:  # noqa: BLE001 (a panic of the tokenizers library is no Exception)
            if len(batch) == 1:
                self._fail(batch[0], error)
                return
            for request in batch:
                await self._answer([request], pool)
        else:
            self._metrics.rows.inc(len(found))
            self._metrics.row_errors.inc(sum(answer.is_error for answer in found))
            lines = iter(answer.line for answer in found)
            for request in batch:
                answers = list(islice(lines, len(request.rows)))
                if not request.answers.done():
                    request.answers.set_result(answers)

    def _fail(self, request: _Request, error: BaseException) -> None:
        """Tell the client that it failed, and the operator why."""
        if not request.answers.done():
            request.answers.set_exception(HTTPException(500, "the rows could not be answered"))
        if self._debug:
            traceback.print_exception(error)
        report(describe(error)[1])
