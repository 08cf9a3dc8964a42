"""Names of data to the files that they stand for: a pattern, or a directory of the shards of one data set."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath

from seqrnn.data.formats.folder_listing import PARTS, contents_of, kind_of
from seqrnn.data.lines import count_lines
from seqrnn.data.wording import listed
from seqrnn.errors import DataError, UsageError

SHOWN = 3  # names that a note lists


def files_named(names: Iterable[str]) -> tuple[str, ...]:
    """Return the files that names stand for, in the order of the names, those of one name sorted.

    A name that is there is a file or a folder; a directory of shards stands for these. Another one that has
    `*`, `?` or `[...]` is a pattern, in which `**` stands for any folders. Raises DataError where nothing
    matches.
    """
    return tuple(path for name in names for path in _files(name))


def ask_for_sides(paths: Sequence[str], encoding: str) -> None:
    """Raise UsageError where two texts may be sides of a parallel corpus, as train.en and train.de are."""
    if len(paths) != 2:
        return
    first, second = map(PurePath, paths)
    sides = [path.suffix[1:] for path in (first, second)]
    if first.stem != second.stem or sides[0] == sides[1] or not all(map(str.isalpha, sides)):
        return  # parts of one text, maybe, which have numbers
    if count_lines(str(first), encoding) == count_lines(str(second), encoding):
        what = f"{first.name} and {second.name} have as many lines: are they texts and their translations?"
        given = f"give them as `data.source={first}` `data.target={second}`"
        raise UsageError(f"{what} {given}, or as one text with `data.format=text`")


def tests_among(paths: Sequence[str]) -> list[str]:
    """Return a note where files to train on have names that say that others of them are to be measured on."""
    parts = {path: _part(PurePath(path).name) for path in paths}
    held = [PurePath(path).name for path, part in parts.items() if part in {"test", "valid"}]
    if not held or len(held) == len(paths):
        return []
    what = f"{listed(held, SHOWN)}: trained on, too, though the name says that it is to measure on"
    return [f"{what}; leave it out to do so"]


def _files(name: str) -> Iterator[str]:
    if name == "-" or os.path.lexists(name) or not glob.has_magic(name):
        shards = _shards(name) if os.path.isdir(name) else []
        yield from shards or [name]
        return
    found = sorted(glob.iglob(name, recursive=True))
    if not found:
        raise DataError(f"{name}: no file matches this pattern; check it, and the folder that it starts from")
    yield from found


def _shards(folder: str) -> list[str]:
    """Return the files of a directory that holds tables of one format and nothing else, if it is such a one.

    Names that begin with a dot or `_` are those of programs, such as `_SUCCESS`. Files whose names say that
    they are different parts of a data set, such as train and test, are not read as one.
    """
    from seqrnn.data.formats.registry import format_of_name

    top = contents_of(folder)
    files = [name for name in top.files if not name.startswith("_")]
    formats = {format_of_name(name) if kind_of(name) is None else None for name in files}
    parts = {_part(name) for name in files}
    if top.folders or len(formats) != 1 or None in formats or len(parts) != 1:
        return []
    return [os.path.join(folder, name) for name in files]


def _part(name: str) -> str | None:
    """Return which part of a data set the name of a file says that it is."""
    words = re.split(r"[\W_]+", name.lower())
    return next((PARTS[word] for word in words if word in PARTS), None)
