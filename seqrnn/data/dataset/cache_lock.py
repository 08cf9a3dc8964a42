"""Who uses an entry of the cache: a lock file beside it, which dies with the process that holds it."""

from __future__ import annotations

import fcntl
import os
import weakref
from contextlib import suppress
from pathlib import Path

SHARED, EXCLUSIVE = fcntl.LOCK_SH, fcntl.LOCK_EX


class EntryLock:
    """A lock on one entry: shared by those that read it, exclusive for one that builds or removes it.

    The kernel ties it to this object's open file, so the end of the process, however sudden, frees it, as
    does the end of this object. Removing an entry removes its lock file with it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_exclusive = False
        self._descriptor = -1
        self._close: weakref.finalize[..., EntryLock] | None = None

    def acquire(self, kind: int) -> bool:
        """Take the lock, or turn it into another kind, without waiting; returns whether it is held.

        Raises OSError where nothing can be locked: the directory is read-only, or its file system has
        no locks.
        """
        while True:
            if self._close is None:
                self._open()
            try:
                fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                self.release()
                return False
            if self._is_of_this_path():
                self.is_exclusive = kind == EXCLUSIVE
                return True
            self.release()  # its entry was removed while we waited; there may be a new one

    def release(self) -> None:
        """Let others have the entry."""
        if self._close is not None:
            self._close()
            self._close = None

    def remove(self) -> None:
        """Remove the file of a lock that is held exclusively, and release it."""
        with suppress(OSError):
            self.path.unlink()
        self.release()

    def _open(self) -> None:
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except OSError:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW)  # enough to lock a local file
        self._descriptor = descriptor
        self._close = weakref.finalize(self, os.close, descriptor)

    def _is_of_this_path(self) -> bool:
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False
