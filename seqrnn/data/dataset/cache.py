"""Directories of prepared data, found again by the content that they were made from."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from seqrnn.data.lines import read_chunks
from seqrnn.errors import OutputError

FORMAT = 1  # of what is stored; another number makes all entries strangers
KEPT = 10  # entries; the least recently used go first
PREFIX = "columns-"

T = TypeVar("T")


def file_hashes(paths: Iterable[str], taken: Callable[[int], None] = lambda _: None) -> dict[str, str]:
    """Return the sha256 of each file's bytes, in the order given; `taken` is told the bytes of each read.

    Raises DataError for an unreadable file.
    """
    hashes = {}
    for path in paths:
        content = hashlib.sha256()
        for chunk in read_chunks(path, taken):
            content.update(chunk)
        hashes[path] = content.hexdigest()
    return hashes


def content_key(hashes: Iterable[str], settings: str) -> str:
    """Return a hash of the hashes of files and of all settings."""
    return hashlib.sha256(" ".join([str(FORMAT), *hashes, settings]).encode()).hexdigest()


def cached(key: str, build: Callable[[Path], None], read: Callable[[Path], T]) -> T:
    """Return `read(directory)` of the directory that `build` has filled, now or in an earlier run.

    A directory is built beside its place and then renamed, so that there is never half of one. One
    that cannot be read (`read` raises OSError or ValueError) is built again. Where the cache
    cannot be written, the directory is temporary. Raises OutputError when the disk is full.
    """
    place = _cache_root() / f"{PREFIX}{key}"
    with suppress(OSError, ValueError):
        found = read(place)
        _touch(place)
        return found
    shutil.rmtree(place, ignore_errors=True)
    return read(_build_at(place, build))


def _build_at(place: Path, build: Callable[[Path], None]) -> Path:
    """Build beside `place`, put it there, and return where the result is."""
    building = _new_directory(place)
    try:
        build(building)
        if building.parent == place.parent:
            building = _put(building, place)
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        advice = "make room, or set SEQRNN_CACHE to a directory that has it"
        raise OutputError(f"{building}: {error.strerror}; {advice}") from error
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return building


def _put(building: Path, place: Path) -> Path:
    _touch(building)
    try:
        building.rename(place)
    except OSError:
        if not place.is_dir():
            raise
        shutil.rmtree(building)  # another process was faster, with the same content
    _remove_oldest(place.parent)
    return place


def _cache_root() -> Path:
    if chosen := os.environ.get("SEQRNN_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "seqrnn")


def _new_directory(place: Path) -> Path:
    """Return a new directory beside `place` or, where that cannot be written, a temporary one."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{place.name}.", dir=place.parent))
    except OSError:
        directory = tempfile.mkdtemp(prefix="seqrnn-")
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        return Path(directory)


def _remove_oldest(root: Path) -> None:
    """Keep the newest entries. What killed runs left half built is an entry like any other."""
    with suppress(OSError):  # other processes may be removing, too
        entries = sorted(root.glob(f"{PREFIX}*"), key=lambda entry: entry.stat().st_mtime, reverse=True)
        for entry in entries[KEPT:]:
            shutil.rmtree(entry, ignore_errors=True)


def _touch(directory: Path) -> None:
    with suppress(OSError):
        os.utime(directory)
