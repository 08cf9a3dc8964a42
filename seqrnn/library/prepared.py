"""Prepared data as a directory of its own, from which a training reads without the files they were made from.

    DIR/
      prepared.json      what the directory holds, with the sha256 of each file; written last
      settings.yaml      the settings that the data were prepared with, and those that they decided
      tokenizer.json     and target_tokenizer.json, labels.json ...: what each field has learned
      report.json        the counts of rows and tokens
      train/  valid/     columns (`data/dataset/columns.py`)

It may have come from anywhere: file names are fixed in code, every file must be what the manifest says, and
every column one that its field can have written.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from seqrnn import __version__
from seqrnn.config import Config, DataConfig
from seqrnn.config_file import Layer, dump, from_yaml, load_run_config
from seqrnn.data.dataset.building import TRAIN, VALID
from seqrnn.data.dataset.cache_entries import build_entry
from seqrnn.data.dataset.columns import column_files
from seqrnn.data.dataset.prepare import REPORT, PreparedData, build_prepared, open_prepared
from seqrnn.data.fields.field import Field
from seqrnn.errors import ModelError, OutputError, UsageError
from seqrnn.run.files import (
    Fingerprint,
    Sha256,
    check_size,
    check_writable,
    open_regular,
    read_regular,
    size_of,
    sync_directory,
    write_synced,
)
from seqrnn.strict_json import Natural, Strict, conform, parse_object, read_as

if TYPE_CHECKING:
    from seqrnn.data.dataset.progress import Preparing
    from seqrnn.library.plan import Plan

PREPARED: Final = "prepared.json"
SETTINGS: Final = "settings.yaml"
FORMAT = 1
MANIFEST_LIMIT = 2**26  # bytes: a data set may be of many files
AGAIN = "prepare the data again"

FILE_KEYS = frozenset({"data.train", "data.source", "data.target"})
"""Settings that name what was prepared, instead of which the directory is read."""


class _Manifest(Strict, frozen=True):
    """`prepared.json`: its files, and the hashes of those that it was made from, by their names."""

    format: int
    seqrnn: str
    created: str
    files: dict[str, Fingerprint]
    hashes: dict[str, Sha256]


class _Part(Strict, frozen=True):
    examples: Natural
    tokens: Natural
    unknown: Natural
    truncated: Natural
    skipped: Natural
    unknown_names: list[tuple[str, int, tuple[int, int, str]]]


class _Report(Strict, frozen=True):
    """`report.json`, as `PreparationReport.to_json` writes it."""

    train: _Part
    valid: _Part
    blank: Natural
    replaced: Natural
    max_tokens: int | None
    unit: str
    token: str
    remarks: list[tuple[tuple[int, int, str], str]]
    divided: bool


def is_prepared(data: DataConfig) -> bool:
    """Whether what is trained on is a directory of prepared data. Raises UsageError if that is not all."""
    found = [path for path in data.train if os.path.lexists(os.path.join(path, PREPARED))]
    if found and (len(data.train) > 1 or data.source or data.target):
        raise UsageError(f"{found[0]}: is prepared data, which is trained on alone; remove the other files")
    return bool(found)


@dataclass(frozen=True)
class PreparedDirectory:
    """Prepared data, of which the manifest and the settings have been read."""

    path: Path
    made_from: tuple[str, ...]
    config: Config
    layer: Layer
    _manifest: _Manifest

    @classmethod
    def open(cls, path: Path) -> PreparedDirectory:
        """Read what the directory says of itself. Raises ModelError where it is damaged or foreign."""
        manifest_path = path / PREPARED
        content = parse_object(read_regular(manifest_path, MANIFEST_LIMIT), manifest_path, AGAIN)
        if content.get("format") != FORMAT:
            found = content.get("format")
            raise ModelError(f"{manifest_path}: format {found!r:.20}; this reads {FORMAT}; {AGAIN}")
        manifest = conform(content, _Manifest, manifest_path)
        if not manifest.hashes:
            raise ModelError(f"{manifest_path}: does not say what it was made from; {AGAIN}")
        settings = path / SETTINGS
        _check_file(settings, manifest.files.get(SETTINGS))
        try:
            text = read_regular(settings).decode()
        except UnicodeDecodeError as error:
            raise ModelError(f"{settings}: not UTF-8 at byte {error.start}; {AGAIN}") from error
        config = load_run_config(text, str(settings))
        return cls(path, tuple(manifest.hashes), config, from_yaml(text, str(settings)), manifest)

    @property
    def is_divided_by_seed(self) -> bool:
        """Whether the seed has drawn what is held out."""
        from seqrnn.data.formats.registry import format_named

        data = self.config.data
        own = data.valid or data.valid_source or not data.valid_fraction
        return not own and not format_named(data.format).is_one_text

    def read(self, fields: Sequence[Field]) -> PreparedData:
        """Map the columns; `fields` have learned afterwards. Raises ModelError where they are damaged."""
        listed, known = self._manifest.files, {*_names(fields)}
        for name in sorted({*listed} ^ known):
            what = "does not name" if name in known else "names"
            raise ModelError(f"{self.path / PREPARED}: {what} {name[:100]!r}; {AGAIN}")
        for name in sorted(known):
            _check_file(self.path / name, listed[name])
        try:
            read_as(_Report, read_regular(self.path / REPORT).decode(), REPORT)
            hashes = {name: str(content) for name, content in self._manifest.hashes.items()}
            return open_prepared(self.path, fields, self.made_from, hashes, is_trusted=False)
        except (OSError, ValueError, ModelError) as error:
            raise ModelError(f"{self.path}: {error}; {AGAIN}") from error


def write_prepared(
    plan: Plan, output: Path, overwrite: bool, tell: Callable[[Preparing], Any]
) -> PreparedData:
    """Prepare the data of a training in a directory, which is complete or not there.

    Raises UsageError for data that stay in files of their own, DataError for what cannot be used, and
    OutputError where the directory cannot be written.
    """
    from seqrnn.data.fields.source_kind import kind_named

    data, task = plan.readable.data, plan.task()
    if kind_named(data.source_kind).file_kind == "image":
        raise UsageError("images are decoded while a model trains, from their own files; train on those")
    check_prepared_output(output, overwrite)
    seed, threads = plan.readable.training.seed, plan.readable.training.threads
    kept: list[PreparedData] = []

    def build(directory: Path) -> None:
        kept.append(build_prepared(directory, data, task.fields, seed, threads=threads, tell=tell))
        _complete(directory, plan.config, task.fields, kept[0].hashes)

    with _explained(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        build_entry(output, build)
        sync_directory(output.parent)
    return kept[0]


def check_prepared_output(output: Path, overwrite: bool) -> None:
    """Raise UsageError or OutputError unless prepared data can be written to `output`."""
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output}: is a file; choose a directory")
    check_writable(output.absolute().parent)
    if not output.is_dir() or not any(output.iterdir()):
        return
    if not os.path.lexists(output / PREPARED):
        raise UsageError(f"{output}: is not empty, and holds no prepared data; choose another directory")
    if not overwrite:
        raise UsageError(
            f"{output}: holds prepared data; choose another directory, or replace it with `overwrite`"
        )


def _complete(directory: Path, config: Config, fields: Sequence[Field], hashes: Mapping[str, str]) -> None:
    """Write the settings and, last, the manifest of a directory of columns."""
    write_synced(directory / SETTINGS, dump(config).encode())
    manifest = _Manifest(
        format=FORMAT,
        seqrnn=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        files={name: _synced(directory / name) for name in _names(fields)},
        hashes=dict(hashes),
    )
    for part in (TRAIN, VALID):
        sync_directory(directory / part)
    content = json.dumps(msgspec.to_builtins(manifest), indent=1, ensure_ascii=False)
    write_synced(directory / PREPARED, content.encode())
    sync_directory(directory)


def _names(fields: Iterable[Field]) -> Iterator[str]:
    """Yield the names of all files but the manifest."""
    yield from (SETTINGS, REPORT)
    for field in fields:
        if field.file_name is not None:
            yield field.file_name
        for part in (TRAIN, VALID):
            yield from (f"{part}/{path.name}" for path in column_files(Path(field.name)))


def _fingerprint(path: Path) -> Fingerprint:
    """Return what a file holds. Raises ModelError where it is no regular file."""
    with open_regular(path) as file:
        content = hashlib.file_digest(file, "sha256")
        return Fingerprint(sha256=content.hexdigest(), bytes=file.tell())


def _synced(path: Path) -> Fingerprint:
    """Return what a file holds, once the disk has it."""
    with open_regular(path) as file:
        os.fsync(file.fileno())
    return _fingerprint(path)


def _check_file(path: Path, written: Fingerprint | None) -> None:
    """Raise ModelError unless a file is as it was written."""
    if written is None:
        raise ModelError(f"{path.parent / PREPARED}: does not name {path.name}; {AGAIN}")
    with open_regular(path) as file:
        check_size(size_of(file), written, path)
    if _fingerprint(path) != written:
        raise ModelError(f"{path}: its sha256 is not the one in {PREPARED}; it is damaged; {AGAIN}")


@contextmanager
def _explained(output: Path) -> Iterator[None]:
    """Turn what the system says of a directory that cannot be written into an OutputError."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{output}: {error.strerror}; make room, or choose another directory") from error
