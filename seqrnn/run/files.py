"""Files of a run directory: read with distrust, written so that they survive a crash."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Annotated, TypeAlias

from msgspec import Meta

from seqrnn.errors import ModelError, OutputError
from seqrnn.strict_json import Natural, Strict

SIZE_LIMIT = 64 * 2**20  # bytes of any file that is not tensors

Sha256: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Fingerprint(Strict, frozen=True):
    """What a file held when it was written: the sha256 of its bytes, and how many there were."""

    sha256: Sha256
    bytes: Natural


def fingerprint(content: bytes) -> Fingerprint:
    """The fingerprint of what a file holds."""
    return Fingerprint(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def check_size(size: int, written: Fingerprint, path: Path) -> None:
    """Raise `ModelError` unless the file at `path` is as large as it was written."""
    if size != written.bytes:
        raise ModelError(f"{path}: {size} bytes, its manifest says {written.bytes}; it is damaged")


def check_fingerprint(content: bytes, written: Fingerprint, path: Path) -> None:
    """Raise `ModelError` unless `content`, which was read from `path`, is what was written."""
    check_size(len(content), written, path)
    if fingerprint(content) != written:
        raise ModelError(f"{path}: its sha256 is not the one in the manifest; it is damaged")


@contextmanager
def open_regular(path: Path) -> Iterator[FileIO]:
    """Open a file of a run directory, and nothing that only looks like one.

    A symbolic link is not followed, and opening a FIFO or a device does not wait for it.
    Raises `ModelError` where the file is missing, unreadable or not a regular file.
    """
    try:
        if path.is_symlink():
            raise ModelError(f"{path}: is a symbolic link; a run directory holds regular files only")
        with open(path, "rb", buffering=0, opener=_open_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ModelError(f"{path}: is not a regular file")
            yield file
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def size_of(file: FileIO) -> int:
    """Bytes of an open file."""
    return os.fstat(file.fileno()).st_size


def read_exactly(file: FileIO, count: int, path: Path) -> bytes:
    """Read `count` bytes, or raise `ModelError` where the file ends before."""
    parts: list[bytes] = []
    while count > 0 and (part := file.read(count)):
        parts.append(part)
        count -= len(part)
    if count:
        raise ModelError(f"{path}: is {count} bytes too short")
    return b"".join(parts)


def read_regular(path: Path, limit: int = SIZE_LIMIT) -> bytes:
    """The content of a regular file of at most `limit` bytes; raises `ModelError` otherwise."""
    with open_regular(path) as file:
        size = size_of(file)
        if size > limit:
            raise ModelError(f"{path}: {size} bytes, more than the {limit} allowed")
        return read_exactly(file, size, path)


def write_synced(path: Path, content: bytes) -> Fingerprint:
    """Write a new file with mode 0666 & ~umask and wait until the disk has it.

    Raises `OSError`, also where something of that name exists already.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    return fingerprint(content)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: it gets its name when the disk has it.

    What was there before stays until then, and a link stays one. Raises `OutputError`, with nothing left.
    """
    check_replaceable(path)
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".seqrnn-{os.getpid()}.tmp")
    try:
        write_synced(temporary, content)
        temporary.replace(target)
        sync_directory(target.parent)
    except OSError as error:
        raise OutputError(f"writing {path}: {error.strerror}") from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def check_replaceable(path: Path) -> None:
    """Raise `OutputError` unless a file can be written to `path`: to be asked before anything costs time."""
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise OutputError(f"writing {path}: there is no directory {path.parent}; make it first")
    if target.is_symlink() or (target.exists() and not target.is_file()):
        raise OutputError(f"writing {path}: is not a regular file; choose another name")
    check_writable(target.parent)


def sync_directory(path: Path) -> None:
    """Wait until the disk has the names in a directory, not only the files themselves."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_writable(path: Path) -> None:
    """Raise `OutputError` unless a file can be made in `path`, or in what `path` will be made in."""
    import tempfile  # slow to import, and not needed to answer

    while not os.path.exists(path) and path != path.parent:
        path = path.parent
    try:
        # Permission bits do not tell the truth on a read-only or a remote file system.
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}; choose another directory") from error
