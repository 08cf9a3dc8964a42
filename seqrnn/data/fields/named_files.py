"""Records that name a file instead of holding a text: where it is, and whether it is still the same."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from typing import NamedTuple

from seqrnn.data.record import Record
from seqrnn.errors import DataError

ARRAY_EXTENSION = ".npy"
IMAGE_EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".ppm")


class NamedFile(NamedTuple):
    """A file as it is now: another one that replaces it differs in time or size."""

    path: str
    modified: int  # in nanoseconds
    size: int  # in bytes


def names_image(record: Record) -> bool:
    """Whether the input looks like the path of an image."""
    return record.source.lower().endswith(IMAGE_EXTENSIONS)


def names_array(record: Record) -> bool:
    """Whether the input looks like the path of an array of NumPy."""
    return record.steps is None and record.source.endswith(ARRAY_EXTENSION)


def path_of(record: Record) -> str:
    """Return the absolute path of the file that a record names.

    A path in a file starts from that file's folder, one in a stream from the current directory.
    """
    return os.path.abspath(os.path.join(folder_of(record.path), record.source))


def folder_of(path: str) -> str:
    """Return the folder from which paths in the file at `path` start: none, if it is a stream."""
    return os.path.dirname(path) if os.path.isfile(path) else ""


def find_file(path: str) -> NamedFile:
    """Look a file up. Raises DataError where there is none, or something else."""
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        advice = "give paths from the folder of the file that names them, or absolute ones"
        raise DataError(f"{path!r}: {reason}; {advice}") from error
    if not stat.S_ISREG(found.st_mode):
        raise DataError(f"{path!r}: is no regular file; give the path of one")
    return NamedFile(path, found.st_mtime_ns, found.st_size)


def find_named_file(record: Record) -> NamedFile:
    """Look up the file that a record names. Raises DataError, with the location, where there is none."""
    if record.is_blank:
        raise DataError(f"{record.location}: names no file; give the path of one")
    try:
        return find_file(path_of(record))
    except DataError as error:
        raise DataError(f"{record.location}: {error}") from error


def fingerprint(records: Iterable[Record]) -> str:
    """Return a hash of where all named files are, and of their times and sizes.

    Raises DataError, with the location of the first record whose file is missing.
    """
    content = hashlib.sha256()
    for record in records:
        content.update(repr(tuple(find_named_file(record))).encode("utf-8", "surrogatepass"))
    return content.hexdigest()
