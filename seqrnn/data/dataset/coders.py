"""Several processes that code blocks of lines, or this one alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Protocol, Self

from seqrnn.data.dataset.line_coder import LineCoder, LineJob
from seqrnn.data.dataset.line_worker import receive, send
from seqrnn.errors import DataError, MemoryLimit

WAITING = 2  # blocks a process that were read but are not yet coded, or coded but not yet fetched
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}  # more only take memory
GRACE = 5.0  # seconds between the end of a pipe and that of its process
RAISED = {"DataError": DataError, "MemoryError": MemoryError}


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
    """A coder in each of several processes, which end with the `with` block, however that is left.

    They are started by command, not by `multiprocessing`: that would import the main module of a program
    that uses this as a library, and leave processes where this one is killed.
    """

    def __init__(self, job: LineJob, number: int) -> None:
        self._processes: list[_Process] = []
        self._free: SimpleQueue[_Process] = SimpleQueue()
        self._threads = ThreadPoolExecutor(number)
        try:
            for _ in range(number):
                self._processes.append(_Process(job))
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


class _Process:
    """One process, and its two pipes."""

    def __init__(self, job: LineJob) -> None:
        paths = json.dumps(sys.path)
        start = f"import sys, json; sys.path[:] = json.loads({paths!r})"
        command = f"{start}; from seqrnn.data.dataset.line_worker import main; main()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD},
            process_group=0,  # Ctrl-C is for this process to hear
        )
        self._job: str | None = job.to_json()

    def call(self, method: str, arguments: tuple[Any, ...]) -> Any:
        """Return what the method returns, or raise what it raises."""
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None
        assert answers is not None
        try:
            if self._job is not None:
                send(requests, self._job)
                self._job = None
            send(requests, (method, tuple(arguments)))
            succeeded, *answer = receive(answers)
        except (EOFError, OSError) as error:
            raise self._ended() from error
        if not succeeded:
            name, text = answer
            raise RAISED.get(name, RuntimeError)(text)
        return answer[0]

    def _ended(self) -> MemoryLimit:
        try:
            how = self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            how = self._process.wait()
        what = f"signal {-how}" if how < 0 else f"exit code {how}"
        return MemoryLimit(
            f"a process that prepared the data was ended ({what}), perhaps for want of memory; "
            "use --threads 1, or close other programs"
        )

    def end(self) -> None:
        """End the process now, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()


def coders(job: LineJob, processes: int) -> Coders:
    """Return so many processes, or none but this for 1."""
    return CoderProcesses(job, processes) if processes > 1 and sys.executable else OneCoder(job)
