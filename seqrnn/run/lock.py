"""One training at a time in a run directory."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from seqrnn.errors import LockedError, ModelError, OutputError
from seqrnn.run.files import check_writable

LOCK = "lock"
FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
NOT_REGULAR = frozenset({errno.EISDIR, errno.ELOOP, errno.ENXIO})  # a directory, a link, a FIFO or device


class RunLock:
    """Holds a run directory for this process, as long as the `with` block runs.

    The kernel ties the lock to the open file, so that the death of its owner, however sudden, frees
    it; the file itself stays, and says in decimal which process holds it. Raises `LockedError` where
    another does, `ModelError` where something else has the file's name, and `OutputError` where the
    directory cannot be written.
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        self._descriptor = -1

    def __enter__(self) -> RunLock:
        check_writable(self.run)
        try:
            self._descriptor = os.open(self.run / LOCK, FLAGS, 0o666)
            self._check_regular()
            self._acquire()
        except OSError as error:
            if self._descriptor >= 0:
                os.close(self._descriptor)
            if error.errno in NOT_REGULAR:
                raise ModelError(f"{self.run / LOCK}: is not a regular file; remove it") from error
            raise OutputError(f"{self.run / LOCK}: {error.strerror}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def _check_regular(self) -> None:
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))

    def _acquire(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.read(self._descriptor, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise LockedError(
                f"{self.run}: run in use by PID {owner}; wait until it ends, or choose another directory"
            ) from error
        with suppress(OSError):  # on a full disk nobody learns our number, but the lock holds
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
