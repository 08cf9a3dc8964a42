"""Directories of prepared data, found again by the content that they were made from.

An entry stays as long as a process uses it. Of the others those used last stay, up to a size in bytes.
"""

from __future__ import annotations

import atexit
import errno
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from seqrnn.data.dataset.cache_entries import (
    BUILDING,
    LOCK,
    PREFIX,
    beside,
    build_entry,
    bytes_of,
    sweep,
    touch,
)
from seqrnn.data.dataset.cache_lock import EXCLUSIVE, SHARED, EntryLock
from seqrnn.data.formats.folder import folder_chunks
from seqrnn.data.lines import read_chunks
from seqrnn.errors import OutputError, UsageError

FORMAT = 1  # of what is stored; another number makes all entries strangers
DEFAULT_SIZE = "10G"  # of all entries together
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}  # bytes
POLL = 0.05  # seconds between two looks at an entry that another process is building
PATIENCE = 120.0  # seconds in which a directory that another process fills may stay as it is
START_PATIENCE = 10.0  # seconds in which a process that has the lock must have begun to build
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})

T = TypeVar("T")


def file_hashes(
    paths: Iterable[str], taken: Callable[[int], None] = lambda _: None, kind: str = "auto"
) -> dict[str, str]:
    """Return the sha256 of each file's bytes, in the order given; `taken` is told the bytes of each read.

    Of a folder they are the names and bytes of the files in it that hold what source `kind` reads.
    Raises DataError for an unreadable file.
    """
    hashes = {}
    for path in paths:
        content = hashlib.sha256()
        for chunk in folder_chunks(path, kind, taken) if os.path.isdir(path) else read_chunks(path, taken):
            content.update(chunk)
        hashes[path] = content.hexdigest()
    return hashes


def content_key(hashes: Iterable[str], settings: str) -> str:
    """Return a hash of the hashes of files and of all settings."""
    return hashlib.sha256(" ".join([str(FORMAT), *hashes, settings]).encode()).hexdigest()


def cached(key: str, build: Callable[[Path], None], read: Callable[[Path], T]) -> tuple[T, EntryLock | None]:
    """Return `read(directory)` of the directory that `build` has filled, now or in an earlier run.

    The entry stays on disk as long as the lock that is returned with it is referenced. A directory is
    built beside its path and then renamed, so that there is never half of one; who needs it at the
    same time waits. One that cannot be read (`read` raises OSError or ValueError) is built again. Where
    the cache cannot be written or locked, or has no room, the directory is temporary, and there is no
    lock. Raises OutputError where there is no room for that either, UsageError for a bad size.
    """
    limit, entry = _size_limit(), _cache_root() / f"{PREFIX}{key}"
    lock = _claim(entry)
    with suppress(OSError, ValueError):
        found = read(entry)
        touch(entry)
        return found, lock and _shared(lock)
    # What is damaged is built again, unless another process, which began before the damage, has it open.
    if lock is not None and (lock.is_exclusive or lock.acquire(EXCLUSIVE)):
        with _removed_on_failure(lock):
            if _build_at(entry, build):
                found = read(entry)
                sweep(entry.parent, limit)
                return found, _shared(lock)
            lock.remove()
    return read(_build_aside(build)), None


@contextmanager
def _removed_on_failure(lock: EntryLock) -> Iterator[None]:
    """Leave no lock of an entry that was not built."""
    try:
        yield
    except BaseException:
        lock.remove()
        raise


def _claim(entry: Path) -> EntryLock | None:
    """Lock an entry: shared if it is there, else exclusively, to build it. None where that is impossible."""
    lock, progress = EntryLock(beside(entry, LOCK)), _Progress(beside(entry, BUILDING))
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        while not lock.acquire(SHARED if entry.is_dir() else EXCLUSIVE):
            if progress.has_stalled():
                return None
            time.sleep(POLL)
    except OSError:
        return None
    return lock


def _shared(lock: EntryLock) -> EntryLock | None:
    """Let others read the entry, too; None if it was removed meanwhile, which hurts no open file."""
    with suppress(OSError):
        return lock if lock.acquire(SHARED) else None
    return None


class _Progress:
    """Watches the directory that another process fills."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._size = -1
        self._since = time.monotonic()

    def has_stalled(self) -> bool:
        """Whether its size has been the same for so long that the process must have been stopped."""
        size, now = bytes_of(self._directory), time.monotonic()
        if size != self._size:
            self._size, self._since = size, now
        return now - self._since > (PATIENCE if self._directory.is_dir() else START_PATIENCE)


def _build_at(entry: Path, build: Callable[[Path], None]) -> bool:
    """Build an entry, of which the caller has the exclusive lock; False if it cannot be written there.

    Where the disk is full, everything that nobody uses is removed from the cache before a second try.
    """
    for last_try in (False, True):
        try:
            build_entry(entry, build)
        except OSError as error:
            if last_try or error.errno not in NO_SPACE or not sweep(entry.parent, 0):
                return False
        else:
            return True
    return False


def _build_aside(build: Callable[[Path], None]) -> Path:
    """Build a temporary directory, which this process alone knows and which goes when it ends."""
    directory: Path | None = None
    try:
        directory = Path(tempfile.mkdtemp(prefix="seqrnn-"))
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        build(directory)
    except OSError as error:
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)
        advice = "make room, or set SEQRNN_CACHE to a directory that has it"
        raise OutputError(f"{directory or tempfile.gettempdir()}: {error.strerror}; {advice}") from error
    return directory


def _cache_root() -> Path:
    if chosen := os.environ.get("SEQRNN_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "seqrnn")


def _size_limit() -> int:
    """Return how many bytes of entries are kept that nobody uses. Raises UsageError."""
    text = os.environ.get("SEQRNN_CACHE_SIZE") or DEFAULT_SIZE
    match = re.fullmatch(r"(\d{1,15})([KMGT]?)(I?B)?", text.strip().upper(), re.ASCII)
    if match is None:
        raise UsageError(f"SEQRNN_CACHE_SIZE={text}: is no size; write 500M or 10G")
    return int(match[1]) * UNITS[match[2]]
