"""Other processes that work for this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from typing import Any

from seqrnn.data.dataset.messages import receive, send
from seqrnn.data.dataset.progress import bytes_in
from seqrnn.data.source import Source
from seqrnn.errors import DataError, MemoryLimit, UsageError

WORTH_PROCESSES = 16 << 20  # bytes of files that are ready sooner than other processes are
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
"""Environment of a process: threads of libraries take memory there, and compute nothing."""
GRACE = 5.0  # seconds between the end of a pipe and that of its process
RAISED = {"DataError": DataError, "UsageError": UsageError, "MemoryError": MemoryError}


def processes_for(source: Source, threads: int | None) -> int:
    """Return how many processes shall work on a source: one a core, or `threads`, if that is worth it."""
    if not sys.executable or bytes_in(source.files, source.kind) < WORTH_PROCESSES:
        return 1
    return min(threads or 1024, len(os.sched_getaffinity(0)))


class Process:
    """One process that calls the methods of a worker (see `worker.py`) for this one, and its two pipes.

    It is started by command, not by `multiprocessing`: that would import the main module of a program
    that uses this as a library, and leave processes where this one is killed.
    """

    def __init__(self, worker: str, job: str) -> None:
        paths = json.dumps(sys.path)
        start = f"import sys, json; sys.path[:] = json.loads({paths!r})"
        command = f"{start}; from seqrnn.data.dataset.worker import main; main()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD},
            process_group=0,  # Ctrl-C is for this process to hear
        )
        self._job: tuple[str, str] | None = (worker, job)

    def call(self, method: str, arguments: tuple[Any, ...]) -> Any:
        """Return what the method returns, or raise what it raises.

        Raises MemoryLimit where the process was ended from outside.
        """
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
            "use `training.threads=1`, or close other programs"
        )

    def end(self) -> None:
        """End the process now, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
