"""Standard streams as a shell expects them: whole lines, no traceback, the right exit code.

Answers go to descriptor 1, past Python's own buffering and encoding, so that a line is on its way
when `write_lines` returns, is UTF-8 under every locale, and is never cut in half: a write to a
pipe of up to `PIPE_BUF` bytes is atomic, and lines are sent in groups no larger than that.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import stat
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from seqrnn.cli.spelling import in_flags
from seqrnn.cli.streams import CLOSED, STDIN, STDOUT, failed_write, is_closed, wait_until_writable
from seqrnn.data.lines import printable
from seqrnn.errors import NumericError, OutputError


def json_line(record: Mapping[str, Any]) -> str:
    """One line of JSON, without its newline. Raises ValueError for nan and infinity."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False)


def finite_json_line(record: Mapping[str, Any]) -> tuple[str, bool]:
    """One line of JSON, with null for nan and infinity, and whether there was none of them."""
    try:
        return json_line(record), True
    except ValueError:
        return json_line(_with_nulls(record)), False


class OutputStream:
    """Where answers go: standard output, or the file that `-o` names.

    To be used in a `with` statement. Raises OutputError when writing fails, and NumericError at
    the end when a JSON record held nan or infinity; such numbers are written as null.
    """

    def __init__(self, path: str | None = None) -> None:
        self.name = path or "stdout"
        self._owned = path is not None
        self._not_finite: list[int] = []  # 1 for each such record: appending is safe in every thread
        self._mid_line = False
        if path is not None:
            self._descriptor = self._create(path)
        elif is_closed(sys.stdout):
            raise OutputError(CLOSED)
        else:
            self._descriptor = STDOUT
        self._terminal = os.isatty(self._descriptor)

    def write_lines(self, lines: Iterable[str]) -> None:
        """Write each text and a newline. Every line is on its way on return."""
        content = self._encode("".join(f"{line}\n" for line in lines))
        start = 0
        while start < len(content):
            stop = content.rfind(b"\n", start, start + select.PIPE_BUF) + 1
            stop = stop or content.index(b"\n", start) + 1  # a line that is longer than a group
            self._write(content[start:stop])
            start = stop

    @property
    def is_terminal(self) -> bool:
        """Whether a person sees what is written."""
        return self._terminal

    def write_bytes(self, content: bytes) -> None:
        """Write bytes as they are."""
        self._write(content)

    def count_not_finite(self) -> None:
        """Count a record that holds nan or infinity; see `json_line`."""
        self._not_finite.append(1)

    def write_json(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write each record as a line of JSON; see `json_line`."""
        self.write_lines(map(self.json_line, records))

    def json_line(self, record: Mapping[str, Any]) -> str:
        """Return a line of JSON without its newline; nan and infinity become null and are counted.

        May be called in any thread.
        """
        line, finite = finite_json_line(record)
        if not finite:
            self.count_not_finite()
        return line

    def write_text(self, text: str) -> None:
        """Write a piece of text as it is: a line that is not whole yet is finished on close."""
        if text:
            self._mid_line = not text.endswith("\n")
            self._write(self._encode(text))

    def close(self) -> None:
        """Finish the line that was begun, and the file."""
        try:
            if self._mid_line:
                self.write_text("\n")
        finally:
            if self._owned:
                os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OutputError):
            self._mid_line = False  # the stream is broken; there is no finishing it
        self.close()
        if error is None and self._not_finite:
            raise NumericError(
                f"{len(self._not_finite):,} records held nan or infinity, written as null; check the model"
            )

    def _create(self, path: str) -> int:
        try:
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        except OSError as error:
            raise OutputError(f"writing {path}: {error.strerror}") from None

    def _encode(self, text: str) -> bytes:
        if self._terminal:
            text = printable(text)
        # Half a surrogate pair cannot be UTF-8; its escape is what JSON would write.
        return text.encode("utf-8", "backslashreplace")

    def _write(self, content: bytes) -> None:
        if len(content) <= select.PIPE_BUF:
            self._write_all(content)
        else:
            with _signals_deferred():
                self._write_all(content)

    def _write_all(self, content: bytes) -> None:
        written = 0
        while written < len(content):
            try:
                written += os.write(self._descriptor, content[written:])
            except BlockingIOError:  # the other end has made the pipe non-blocking
                wait_until_writable(self._descriptor)
            except OSError as error:
                if self._owned:
                    self._cut_to_whole_lines(content[:written])
                raise failed_write(self.name, error) from None

    def _cut_to_whole_lines(self, written: bytes) -> None:
        half = len(written) - (written.rfind(b"\n") + 1)
        if half and Path(self.name).is_file():
            os.ftruncate(self._descriptor, os.lseek(self._descriptor, 0, os.SEEK_CUR) - half)


def _with_nulls(value: Any) -> Any:
    """The value with None for every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _with_nulls(entry) for key, entry in value.items()}
    return [_with_nulls(entry) for entry in value] if isinstance(value, list | tuple) else value


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back until a long line is whole; a second one gets through."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def hold(number: int, _: FrameType | None) -> None:
        held.append(number)
        restore()

    def restore() -> None:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    handlers = {number: signal.signal(number, hold) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        restore()
    for signal_held in held:
        signal.raise_signal(signal_held)


def input_is_left() -> bool:
    """Whether something is in the pipe or the file that a command was given, and nobody has read it."""
    with suppress(OSError, ImportError):  # it is closed, or the system has no such question
        from fcntl import ioctl
        from termios import FIONREAD

        found = os.fstat(STDIN)
        if stat.S_ISREG(found.st_mode):
            return found.st_size > os.lseek(STDIN, 0, os.SEEK_CUR)
        return stat.S_ISFIFO(found.st_mode) and any(ioctl(STDIN, FIONREAD, bytes(4)))
    return False


def say_waiting(path: str | None, what: str, quiet: bool) -> None:
    """Say what is waited for where input comes from a terminal, which would look like a hang."""
    if not quiet and path in {None, "-"} and os.isatty(STDIN):
        say(f"waiting for {what} from the terminal; Ctrl-D ends the input")


def say(*lines: str) -> None:
    """Tell the user something that is no answer, on standard error."""
    for line in lines:
        sys.stderr.write(f"seqrnn: {printable(in_flags(line))}\n")
