"""The entries of the cache of prepared data as directories: found, built, counted and removed.

CACHE/  columns-KEY/           an entry, complete
        columns-KEY.lock       held by those that read it, build it or remove it
        columns-KEY.building/  an entry that is being built or, where nobody holds the lock, a stray
        columns-KEY.removed/   an entry on its way out
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from seqrnn.data.dataset.cache_lock import EXCLUSIVE, EntryLock

PREFIX = "columns-"
BUILDING, REMOVED, LOCK = ".building", ".removed", ".lock"


def build_entry(entry: Path, build: Callable[[Path], None]) -> None:
    """Fill a directory beside `entry` and give it this name instead of what has it. The caller has the lock.

    Raises what `build` raises, and OSError where it cannot be written; what was there before stays then.
    """
    building = beside(entry, BUILDING)
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    try:
        build(building)
        _discard(entry)
        building.rename(entry)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def sweep(root: Path, limit: int) -> int:
    """Remove strays, and what was used longest ago, until entries take `limit` bytes; returns how many went.

    What a living process uses stays, whatever its size.
    """
    removed = used = 0
    with suppress(OSError):
        names = [name for name in os.listdir(root) if name.startswith(PREFIX)]
        entries = {name for name in names if "." not in name}
        for entry in sorted((root / name for name in entries), key=_last_use, reverse=True):
            used += bytes_of(entry)
            if used > limit and _remove(entry):
                removed += 1
        for stray in {name.partition(".")[0] for name in names} - entries:
            _remove(root / stray)
        for name in entries.intersection(name.partition(".")[0] for name in names if REMOVED in name):
            shutil.rmtree(root / f"{name}{REMOVED}", ignore_errors=True)
    return removed


def _remove(entry: Path) -> bool:
    """Remove an entry with its strays and its lock, unless a living process uses it."""
    lock = EntryLock(beside(entry, LOCK))
    try:
        if not lock.acquire(EXCLUSIVE):
            return False
        _discard(entry)
    except OSError:
        return False
    for stray in entry.parent.glob(f"{entry.name}.*"):
        if stray != lock.path:
            shutil.rmtree(stray, ignore_errors=True)
    lock.remove()
    return True


def _discard(entry: Path) -> None:
    """Remove an entry at once, so that nobody finds half of it."""
    removed = beside(entry, REMOVED)
    shutil.rmtree(removed, ignore_errors=True)
    with suppress(FileNotFoundError):
        entry.rename(removed)
    shutil.rmtree(removed, ignore_errors=True)


def beside(entry: Path, suffix: str) -> Path:
    """Return what belongs to an entry and is no part of it, such as its lock."""
    return entry.with_name(entry.name + suffix)


def bytes_of(directory: Path) -> int:
    """Return what a directory takes on the disk, as far as it can be read."""
    total = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                found = os.stat(os.path.join(parent, name))
                total += max(found.st_size, found.st_blocks * 512)
    return total


def _last_use(directory: Path) -> float:
    with suppress(OSError):
        return directory.stat().st_mtime
    return 0.0


def touch(directory: Path) -> None:
    """Note that an entry was used."""
    with suppress(OSError):
        os.utime(directory)
