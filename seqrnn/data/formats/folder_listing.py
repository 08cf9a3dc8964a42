"""What a folder of examples holds: a sub-folder a class, or files alone; and what of it is left out.

Only files directly in the folder of a class are its examples: nothing below is looked at, so a link that
leads in a circle ends here.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import PurePath
from typing import NamedTuple

from seqrnn.data.fields.named_files import ARRAY_EXTENSION, IMAGE_EXTENSIONS
from seqrnn.data.fields.source_kind import FileKind, kind_named, kind_of_files
from seqrnn.data.lines import UNREADABLE
from seqrnn.data.wording import listed
from seqrnn.errors import AmbiguousDataError, DataError

TEXT_EXTENSION = ".txt"
NO_TEXTS = frozenset({
    ".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".npz",
    ".conll", ".conllu", ".bio", ".iob", ".pdf", ".doc", ".docx", ".odt", ".rtf",
    ".xls", ".xlsx", ".ppt", ".pptx", ".zip", ".tar", ".tgz", ".bz2", ".xz",
    ".7z", ".rar", ".wav", ".mp3", ".flac", ".ogg", ".m4a", ".mp4", ".avi",
    ".mov", ".mkv", ".webm", ".tif", ".tiff", ".svg", ".heic", ".avif", ".ico",
    ".psd", ".db", ".sqlite", ".ini", ".exe", ".dll", ".so", ".pyc", ".pkl",
    ".pickle", ".pt", ".pth", ".h5", ".hdf5", ".mat", ".bin", ".dat", ".feat",
    ".safetensors", ".onnx",
})  # fmt: skip
"""Extensions of files that are no texts, or tables and not one text."""
IGNORED = frozenset({"__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini"})  # as good as hidden
WITHOUT_LABELS = frozenset({"unsup", "unsupervised", "unlabeled", "unlabelled"})
PARTS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
}
"""Names of folders that hold a part of a data set, and not a class."""
NEAR = 0.2  # share of the files of another kind, from which on either may be meant
SHOWN = 3  # names of a kind that a message lists


class Contents(NamedTuple):
    """The names in one folder, in order; `others` are neither files nor folders, such as broken links."""

    files: list[str]
    folders: list[str]
    hidden: list[str]
    others: list[str]


@dataclass(frozen=True)
class Listing:
    """The files of one kind in the folder at `path`, by class; without classes all are under "".

    `left_out` are the names of what is not read, by the reason. The names are held in memory, about
    100 bytes each.
    """

    path: str
    kind: FileKind
    classes: Mapping[str, list[str]]
    left_out: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def has_classes(self) -> bool:
        """Whether sub-folders name the classes."""
        return "" not in self.classes

    def in_order(self) -> Iterator[tuple[str, str]]:
        """Yield class and name of each file, by name."""
        return ((label, name) for label, names in self.classes.items() for name in names)

    def in_turn(self) -> Iterator[tuple[str, str]]:
        """Yield the same, the first file of each class, then the second: the first rows show all classes."""
        for names in zip_longest(*self.classes.values()):
            yield from ((label, name) for label, name in zip(self.classes, names, strict=True) if name)

    def paths(self) -> Iterator[str]:
        """Yield the path of each file, by name."""
        return (os.path.join(self.path, label, name) for label, name in self.in_order())

    def told(self) -> str:
        """Say which files are read, and which are left out."""
        counts = [f"{label} ({len(names):,})" for label, names in self.classes.items() if label]
        files = sum(map(len, self.classes.values()))
        where = f"{len(counts)} classes, {listed(counts, 10)}" if counts else "no classes"
        told = [f"folder: {self.path} holds {files:,} {self.kind} files: {where}"]
        told += [
            f"left out: {listed(names, SHOWN)} ({reason})" for reason, names in self.left_out.items() if names
        ]
        return "; ".join(told)


def list_folder(path: str, source_kind: str = "auto", needs_classes: bool = False) -> Listing:
    """Look at the folder at `path`: what of `source_kind` is in it.

    Raises DataError where it cannot be read or holds nothing that can be, and AmbiguousDataError where it
    holds as many texts as images, and nobody has said which are meant.
    """
    top = contents_of(path)
    if parts := parts_of(path, top):
        names = " and ".join(parts.values())
        first = os.path.join(path, next(iter(parts.values())))
        raise DataError(f"{path}: holds the parts {names} of a data set; name one of them, such as {first}")
    found = {name: contents_of(os.path.join(path, name)) for name in top.folders}
    without = [name for name in found if name.lower() in WITHOUT_LABELS]
    classes = {name: found[name].files for name in found if name not in without}
    with_files = {name: names for name, names in classes.items() if any(map(kind_of, names))}
    if not with_files and needs_classes:
        raise DataError(f"{path}: {_nothing(path, top, found)}")
    chosen = with_files or {"": top.files}
    kind = _kind(path, chosen, source_kind)
    is_read = _reads(kind, chosen)
    listed = {label: [name for name in names if is_read(name)] for label, names in chosen.items()}
    listed = {label: names for label, names in listed.items() if names}
    if not listed:
        raise DataError(f"{path}: {_nothing(path, top, found)}")
    _require_names(path, listed)
    left_out = _left_out(top, found, listed, without)
    return Listing(path, kind, listed, left_out)


def files_of(path: str, source_kind: str = "auto") -> Iterator[str]:
    """Yield the path itself or, where it is a folder's, those of the files in it that `source_kind` reads.

    Raises DataError as `list_folder` does.
    """
    return list_folder(path, source_kind).paths() if os.path.isdir(path) else iter((path,))


def parts_of(path: str, top: Contents | None = None) -> dict[str, str]:
    """Return the sub-folders that hold parts of a data set, each with sub-folders of its own that hold files.

    The keys are train, valid and test, the values the names of the folders.
    """
    named: dict[str, str] = {}
    for name in (top or contents_of(path)).folders:
        part = PARTS.get(name.lower())
        if part is not None and _holds_classes(os.path.join(path, name)):
            named.setdefault(part, name)
    return {part: named[part] for part in ("train", "valid", "test") if part in named}


def contents_of(path: str) -> Contents:
    """List one folder. Raises DataError where it cannot be read."""
    found = Contents([], [], [], [])
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name in IGNORED:
                    found.hidden.append(entry.name)
                elif _is(entry.is_dir):
                    found.folders.append(entry.name)
                else:
                    (found.files if _is(entry.is_file) else found.others).append(entry.name)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: {reason}; {UNREADABLE}") from error
    return Contents(*map(sorted, found))


def kind_of(name: str) -> FileKind | None:
    """Tell by the extension of a file's name what it may hold, if that is anything that is read."""
    extension = _extension(name)
    if extension in IMAGE_EXTENSIONS:
        return "image"
    if extension == ARRAY_EXTENSION:
        return "array"
    return None if extension in NO_TEXTS else "text"


def _extension(name: str) -> str:
    return PurePath(name.lower().removesuffix(".gz")).suffix


def _is(question: Callable[[], bool]) -> bool:
    """Answer what may fail, as at a link that leads to itself."""
    with suppress(OSError):
        return question()
    return False


def _holds_classes(path: str) -> bool:
    with suppress(DataError):
        folders = contents_of(path).folders
        return any(any(map(kind_of, contents_of(os.path.join(path, name)).files)) for name in folders)
    return False


def _kind(path: str, classes: Mapping[str, list[str]], source_kind: str) -> FileKind:
    """Return the kind of input: the user's word, or what most files are."""
    if source_kind != "auto":
        return kind_named(source_kind).file_kind
    counts = Counter(kind for names in classes.values() for name in names if (kind := kind_of(name)))
    (first, most), *others = counts.most_common() or [("text", 0)]
    if others and others[0][1] >= NEAR * (most + others[0][1]):
        second, number = others[0]
        readings = [{"data.source_kind": kind_of_files(kind)} for kind in (first, second)]
        what = f"holds {most:,} {first} files and {number:,} {second} files"
        raise AmbiguousDataError(f"{path}: {what}; which are to be read?", readings)
    return first


def _reads(kind: FileKind, classes: Mapping[str, list[str]]) -> Callable[[str], bool]:
    """Return what tells the files that are read: where half of the texts are named .txt, only those."""
    if kind != "text":
        return lambda name: kind_of(name) == kind
    texts = [name for names in classes.values() for name in names if kind_of(name) == "text"]
    if 2 * sum(_extension(name) == TEXT_EXTENSION for name in texts) >= len(texts):
        return lambda name: _extension(name) == TEXT_EXTENSION
    return lambda name: kind_of(name) == "text"


def _left_out(
    top: Contents, found: Mapping[str, Contents], listed: Mapping[str, list[str]], without: list[str]
) -> dict[str, list[str]]:
    """Return the names of what is not read, by the reason."""
    within = {"": top} if "" in listed else {label: found[label] for label in listed}
    other, below, odd, hidden = [], [], list(top.others), list(top.hidden)
    for label, contents in within.items():
        read = set(listed[label])
        other += [os.path.join(label, name) for name in contents.files if name not in read]
        if label:
            below += [os.path.join(label, name) for name in contents.folders]
            odd += [os.path.join(label, name) for name in contents.others]
            hidden += [os.path.join(label, name) for name in contents.hidden]
    beside = [] if "" in listed else top.files
    empty = [name for name in found if name not in listed and name not in without]
    return {
        "no labels": without if "" not in listed else [],
        "folders without files of that kind": empty,
        "beside the folders of the classes": beside,
        "other kinds of files": other,
        "folders in the folder of a class": below,
        "no regular files": odd,
        "hidden": hidden,
    }


def _nothing(path: str, top: Contents, found: Mapping[str, Contents]) -> str:
    """Say why there is nothing to read, and what to do."""
    nested = [(name, contents.folders[0]) for name, contents in found.items() if contents.folders]
    if nested:
        shown = listed([os.path.join(*pair) for pair in nested], SHOWN)
        first = os.path.join(path, nested[0][0])
        advice = f"name the one whose sub-folders are the classes, such as {first}"
        return f"holds folders of folders ({shown}); {advice}"
    if top.files:
        shown = listed(top.files, SHOWN)
        return (
            f"holds no sub-folder that names a class, but files ({shown}); name the files, "
            "or put those of each class into a folder of its own"
        )
    return "holds no texts, images or arrays in sub-folders that name their classes; give a folder that does"


def _require_names(path: str, listed: Mapping[str, list[str]]) -> None:
    """Raise DataError for a name that is no text, which no answer could show."""
    for label, names in listed.items():
        for name in (label, *names):
            try:
                name.encode()
            except UnicodeEncodeError as error:
                raise DataError(f"{path}: the name {name!r} is not UTF-8; rename the file") from error
