"""Several processes that code blocks of lines, or this one alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Protocol, Self

from seqrnn.data.dataset.line_coder import LineCoder, LineJob
from seqrnn.data.dataset.processes import Process

WAITING = 2  # blocks a process that were read but are not yet coded, or coded but not yet fetched


class Coders(Protocol):
    """What calls the methods of a `LineCoder`, or of several of the same job."""

    def each(self, method: str, calls: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """Call a method with the arguments of each call, by any of the coders; yield results in order."""

    def all(self, method: str, *arguments: Any) -> list[Any]:
        """Call a method of every coder; return all results. No other call may be under way."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class OneCoder:
    """A coder in this process."""

    def __init__(self, job: LineJob) -> None:
        self._coder = LineCoder(job)

    def each(self, method: str, calls: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """Call one after the other."""
        return (getattr(self._coder, method)(*arguments) for arguments in calls)

    def all(self, method: str, *arguments: Any) -> list[Any]:
        """Call once."""
        return [getattr(self._coder, method)(*arguments)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class CoderProcesses:
    """A coder in each of several processes, which end with the `with` block, however that is left."""

    def __init__(self, job: LineJob, number: int) -> None:
        self._processes: list[Process] = []
        self._free: SimpleQueue[Process] = SimpleQueue()
        self._threads = ThreadPoolExecutor(number)
        try:
            for _ in range(number):
                self._processes.append(Process("lines", job.to_json()))
                self._free.put(self._processes[-1])
        except BaseException:
            self.end()
            raise

    def each(self, method: str, calls: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """Call as soon as one is free; only a few results wait to be fetched. Raises what a call raises.

        Raises MemoryLimit where a process was ended from outside.
        """
        waiting: deque[Future[Any]] = deque()
        for arguments in calls:
            waiting.append(self._threads.submit(self._call, method, arguments))
            if len(waiting) > WAITING * len(self._processes):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def all(self, method: str, *arguments: Any) -> list[Any]:
        """Call a method of every process; see `each` for errors."""
        return list(self._threads.map(lambda process: process.call(method, arguments), self._processes))

    def _call(self, method: str, arguments: tuple[Any, ...]) -> Any:
        process = self._free.get()
        try:
            return process.call(method, arguments)
        finally:
            self._free.put(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """End all processes now, and give up what they were asked for."""
        for process in self._processes:
            process.end()
        self._threads.shutdown(cancel_futures=True)


def coders(job: LineJob, processes: int) -> Coders:
    """Return so many processes, or none but this for 1."""
    return CoderProcesses(job, processes) if processes > 1 else OneCoder(job)
