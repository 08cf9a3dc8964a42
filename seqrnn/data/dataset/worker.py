"""A process that works for another: `python -c` runs `main` with its pipes.

The first message (`messages.py`) is the name of a worker and its job. An answer is `(True, value)` or
`(False, name of the exception, text)`. Where the other process has ended, there is no message any more, and
this one ends, too.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from contextlib import suppress
from typing import Any

from seqrnn.data.dataset.messages import receive, send
from seqrnn.errors import DataError, UsageError


def main() -> None:
    """Answer requests, `(name of a method, its arguments)`, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the other process that ends us
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed by mistake is no answer
    with suppress(EOFError, OSError):
        name, job = receive(requests)
        worker = _worker(name, job)
        while True:
            method, arguments = receive(requests)
            send(answers, _answer(worker, method, arguments))


def _worker(name: str, job: str) -> Any:
    """Make the object whose methods are called: what codes blocks of `lines`, or reads `records`."""
    if name == "lines":
        from seqrnn.data.dataset.line_coder import LineCoder, LineJob

        return LineCoder(LineJob.from_json(job))
    from seqrnn.data.dataset.records_ahead import RecordSender

    return RecordSender.from_json(job)


def _answer(worker: Any, method: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    try:
        return True, getattr(worker, method)(*arguments)
    except (DataError, UsageError, MemoryError) as error:
        return False, type(error).__name__, str(error)
    except Exception:  # noqa: BLE001 (a bug: the other process shows it)
        return False, "RuntimeError", traceback.format_exc()
