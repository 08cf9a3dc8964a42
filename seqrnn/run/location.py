"""Is a path a run directory, could it become one, and if neither, what did the user mean?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

from seqrnn.errors import ModelError, UsageError
from seqrnn.run.checkpoint import DIRECTORY_NAME
from seqrnn.run.files import check_writable
from seqrnn.run.lock import LOCK
from seqrnn.run.manifest import CONFIG, ROOT_FILES
from seqrnn.run.tensors import PICKLE_SUFFIXES


def checkpoint_paths(run: Path) -> list[Path]:
    """The checkpoints of a run, complete or not, the newest first; links are not followed."""
    found = [path for path in run.iterdir() if DIRECTORY_NAME.fullmatch(path.name) and _is_own(path)]
    return sorted(found, key=lambda path: (-int(path.name[4:].removesuffix(".old")), path.name))


def is_run(path: Path) -> bool:
    """Whether `path` is a directory that a training began to fill."""
    return (path / CONFIG).is_file() and ((path / LOCK).is_file() or bool(checkpoint_paths(path)))


def holds_run(path: Path) -> bool:
    """Whether `path` is a run directory, even a damaged one, or a folder of such, and no folder of data."""
    if not path.is_dir():
        return False
    try:
        return _has_parts(path) or any(_has_parts(inner) for inner in path.iterdir() if inner.is_dir())
    except OSError:
        return False


def _has_parts(path: Path) -> bool:
    return (path / CONFIG).is_file() or bool(checkpoint_paths(path))


def check_run(path: Path) -> None:
    """Raise `ModelError`, which says what to give instead, unless `path` is a run directory."""
    try:
        if not path.exists():
            raise ModelError(f"{path}: no such run directory; give the one that seqrnn train -o has made")
        if not path.is_dir():
            _refuse_file(path)
        if CONFIG not in os.listdir(path):
            _refuse_directory(path)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error


def check_free(path: Path, overwrite: bool = False) -> None:
    """Raise an error unless a training can be saved in `path`: to be called before anything costs time.

    Free is what does not exist, or is empty; with `overwrite` also what holds another run. Raises
    `UsageError` where it is not free and `OutputError` where it cannot be written.
    """
    if os.path.isfile(path):
        raise UsageError(f"{path}: is a file; choose a directory for the run")
    check_writable(path)
    if not path.is_dir():
        return
    names = {entry.name for entry in path.iterdir()} - {LOCK}
    if names and not overwrite:
        raise UsageError(
            f"{path}: is not empty; continue it with `resume`, start from its weights with `init_from`, "
            "replace it with `overwrite`, or choose another directory"
        )
    if (theirs := sorted(names.intersection(ROOT_FILES))) and not is_run(path):
        raise UsageError(f"{path}: holds a {theirs[0]} that no training wrote; choose another directory")


def _refuse_file(path: Path) -> NoReturn:
    if path.suffix in PICKLE_SUFFIXES:
        raise ModelError(f"{path}: pickles are never opened, they can run code; give a seqrnn run directory")
    _refuse_inside(path)
    raise ModelError(f"{path}: is a file; give the run directory that training made")


def _refuse_directory(path: Path) -> NoReturn:
    _refuse_inside(path)
    runs = sorted(entry.name for entry in path.iterdir() if (entry / CONFIG).is_file())
    if runs:
        more = f" and {len(runs) - 5} more" if len(runs) > 5 else ""
        raise ModelError(f"{path}: holds runs, give one of them: {', '.join(runs[:5])}{more}")
    raise ModelError(f"{path}: is no run directory: it has no {CONFIG}; give the one that training made")


def _refuse_inside(path: Path) -> None:
    for parent in path.absolute().parents[:2]:
        if is_run(parent):
            raise ModelError(f"{path}: is a part of a run; give {parent}")


def _is_own(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
