"""What the process does where a standard stream cannot be written.

Standard output carries the answers: a failure ends the command, with SIGPIPE where the reader has left,
else with exit code 5. Standard error is a courtesy: a failure there is ignored, whether Python, a library
or C code writes, so SIGPIPE must not have its usual effect.
"""

from __future__ import annotations

import io
import os
import select
import signal
import sys
from pathlib import Path
from typing import TextIO

from seqrnn.errors import OutputError

STDIN, STDOUT, STDERR = 0, 1, 2
PATIENCE = 10.0  # seconds that a message waits for a reader of standard error who reads nothing
CLOSED = "stdout is closed; give it a reader or a file, or name a file with -o"


class ClosedStdout(io.TextIOBase):
    """Takes the place of a standard output that was closed when the process started."""

    def write(self, _text: str) -> int:
        """Raise OutputError."""
        raise OutputError(CLOSED)


class _WrittenOnce(io.FileIO):
    """A descriptor on which a signal makes nothing be written twice.

    What its handler raises may come after the system has written and before that is noted here: the buffer
    above then offers the same bytes again when Python ends.
    """

    _under_way = 0  # bytes that the system is writing, or has written unnoticed

    def _write_part(self, data: bytes | bytearray | memoryview) -> int | None:
        """Write some of the data; returns how many bytes, None where there is no room.

        Callers set `_under_way` to 0 last of all, after which nothing is called and so no signal handled.
        """
        if self._under_way:
            return self._under_way
        part = memoryview(data)[: select.PIPE_BUF]  # of which a pipe takes all or nothing
        self._under_way = len(part)
        try:
            return super().write(part)
        except OSError:
            self._under_way = 0
            raise


class _Stdout(_WrittenOnce):
    """Descriptor 1 for what Typer and rich print: its first failure is an OutputError, and its last."""

    _failed = False

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        """Write some of the data; returns how many bytes."""
        if self._failed:
            return len(data)  # what is left in a buffer is flushed again when Python ends
        try:
            while (written := self._write_part(data)) is None:  # the other end has made the pipe non-blocking
                self._under_way = 0
                wait_until_writable(self.fileno())
        except OSError as error:
            self._failed = True
            raise failed_write("stdout", error) from None
        self._under_way = 0
        return written


class _Stderr(_WrittenOnce):
    """Descriptor 2, on which writing always succeeds: what cannot be written, or not soon, is dropped."""

    _patience = PATIENCE

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        """Write some of the data if possible; returns how many bytes are done with."""
        written: int | None = None
        try:
            # Of so little none blocks where there is room. A reader that sleeps is waited for once.
            if wait_until_writable(self.fileno(), self._patience):
                self._patience = PATIENCE
                written = self._write_part(data)
            else:
                self._patience = 0.0
        except OSError:  # a full disk, a reader that has left, a terminal that is gone
            pass
        done = len(data) if written is None else written
        self._under_way = 0
        return done


_ends_by_sigpipe = False


def prepare_streams() -> None:
    """Make the process a good member of a pipeline. Call once, first of all.

    A closed descriptor 0, 1 or 2 is filled, so that no data file can get its number. A reader of
    standard output that leaves ends the process silently, by SIGPIPE, unless the parent has this signal
    ignored; one of standard error ends nothing.
    """
    global _ends_by_sigpipe  # noqa: PLW0603
    for descriptor in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    _ends_by_sigpipe = not _parent_ignores_sigpipe()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python has it: writing says what is wrong
    sys.stdout = ClosedStdout() if sys.stdout is None else _rebuilt(sys.stdout, _Stdout(STDOUT, "w", False))
    sys.stderr = _rebuilt(sys.stderr, _Stderr(STDERR, "w", False))


def is_closed(stream: TextIO | None) -> bool:
    """Whether a standard output was closed when the process started."""
    return stream is None or isinstance(stream, ClosedStdout)


def failed_write(name: str, error: OSError) -> OutputError:
    """Return the error to raise for a write of answers that failed; ends the process at a broken pipe.

    It does so by SIGPIPE itself, as a shell expects, where the parent had not ignored this signal.
    """
    if isinstance(error, BrokenPipeError) and _ends_by_sigpipe:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
    return OutputError(f"writing {name}: {error.strerror}")


def wait_until_writable(descriptor: int, seconds: float | None = None) -> bool:
    """Wait until a descriptor takes bytes, or for so many seconds; returns whether it does."""
    ready = select.poll()
    ready.register(descriptor, select.POLLOUT)
    return bool(ready.poll(None if seconds is None else 1000 * seconds))


def _rebuilt(old: TextIO | None, raw: io.FileIO) -> TextIO:
    """Return a text stream over `raw` that is otherwise like the one that Python made."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=old.encoding if old else "utf-8",
        errors=old.errors if old else "backslashreplace",
        line_buffering=raw.fileno() == STDERR or raw.isatty(),
    )


def _parent_ignores_sigpipe() -> bool:
    """Whether SIGPIPE was ignored before Python ignored it, as far as the parent tells.

    A parent that is Python ignores the signal itself and gives its children the default back.
    """
    parent = Path(f"/proc/{os.getppid()}")
    try:
        if parent.joinpath("exe").readlink().name.startswith("python"):
            return False
        status = parent.joinpath("status").read_text()
    except OSError:
        return False
    ignored = next((line.split()[1] for line in status.splitlines() if line.startswith("SigIgn:")), "0")
    return bool(int(ignored, 16) >> (signal.SIGPIPE - 1) & 1)
