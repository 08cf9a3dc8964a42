"""From files to columns: split, learn the fields on the training part, encode, and remember the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from seqrnn.config import DataConfig
from seqrnn.data.dataset.building import TRAIN, VALID, Building
from seqrnn.data.dataset.cache import cached, content_key, file_hashes
from seqrnn.data.dataset.cache_lock import EntryLock
from seqrnn.data.dataset.column_check import check_columns
from seqrnn.data.dataset.columns import Dataset
from seqrnn.data.dataset.preparation_report import PreparationReport
from seqrnn.data.dataset.progress import Preparing, Progress
from seqrnn.data.dataset.split import Fold
from seqrnn.data.fields.field import Field, load_fields
from seqrnn.data.fields.named_files import fingerprint
from seqrnn.data.fields.names import names_fields
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.lines import file_name
from seqrnn.data.source import Source, spool
from seqrnn.errors import ModelError

REPORT = "report.json"


@dataclass(frozen=True)
class PreparedData:
    """What a training starts from; `valid` is None where no example is left to validate on."""

    train: Dataset
    valid: Dataset | None
    report: PreparationReport
    fields: Sequence[Field]
    hashes: dict[str, str]  # sha256 of each file read, by its name
    lock: EntryLock | None = None  # as long as it is referenced, the columns stay on disk


@dataclass(frozen=True)
class _Job:
    """Everything that the result depends on."""

    building: Building

    @property
    def files(self) -> list[str]:
        """The names by which messages call the files, whatever is cached of their content."""
        return list(dict.fromkeys(map(file_name, self.building.paths)))

    @cached_property
    def hashes(self) -> dict[str, str]:
        """The sha256 of each file."""
        return file_hashes(self.building.paths, self.building.progress.taken, self.building.data.source_kind)

    def key(self) -> str:
        """Return the name of the result in the cache."""
        built = self.building
        layout = [
            (len(source.paths), replace(source, paths=(), target_path=None)) for source in built.sources
        ]
        described = [field.description for field in built.fields]
        share = (built.fraction, built.data.holdout, built.seed, *(built.fold or ()))
        settings = (layout, share, built.data.over_length, built.data.max_tokens, described)
        named = [self._named_files(source) for source in built.sources]
        return content_key([self.hashes[path] for path in built.paths], repr((settings, named)))

    def build(self, directory: Path) -> None:
        """Fill the directory of a cache entry."""
        report = self.building.build(directory)
        (directory / REPORT).write_text(report.to_json(self.files), encoding="utf-8")

    def open(self, directory: Path) -> PreparedData:
        """Read a cache entry. Raises OSError or ValueError if it is damaged."""
        hashes = {file_name(path): content for path, content in self.hashes.items()}
        return open_prepared(directory, self.building.fields, self.files, hashes)

    def _named_files(self, source: Source) -> str:
        """Return what tells the images or arrays that the records name from other ones."""
        if source.text_in == "files":
            return fingerprint(read_records(replace(source, text_in="cells")))
        kind = kind_named(self.building.data.source_kind)
        if kind.file_kind == "text":
            return ""
        reader = read_records(source)
        first = next(iter(reader), None)
        return fingerprint(reader) if first is not None and kind.names_file(first) else ""


def prepare(
    data: DataConfig,
    fields: Sequence[Field],
    seed: int,
    threads: int | None = None,
    tell: Callable[[Preparing], None] = lambda _: None,
    *,
    fold: Fold | None = None,
) -> PreparedData:
    """Read, split and encode the data of a training; `fields` have learned their vocabulary afterwards.

    Without a validation file, `valid_fraction` is held out: of a text its last part, of examples a
    random part that depends on `seed`; or the `fold`, if one is given. The result is cached by content.
    A large text is worked on by `threads` processes, by default one a core; `tell` hears how far it is.
    Raises UsageError or DataError for data that cannot be used, OutputError where they cannot be written.
    """
    job = _job(data, fields, seed, threads=threads, tell=tell, fold=fold)
    prepared, lock = cached(job.key(), job.build, job.open)
    return replace(prepared, lock=lock)


def build_prepared(
    directory: Path,
    data: DataConfig,
    fields: Sequence[Field],
    seed: int,
    *,
    threads: int | None = None,
    tell: Callable[[Preparing], None] = lambda _: None,
) -> PreparedData:
    """Do as `prepare`, but in an empty directory, from which `open_prepared` reads without the files.

    Raises OSError where it cannot be written.
    """
    job = _job(data, fields, seed, threads=threads, tell=tell)
    job.build(directory)
    return job.open(directory)


def open_prepared(
    directory: Path,
    fields: Sequence[Field],
    files: Sequence[str],
    hashes: dict[str, str],
    *,
    is_trusted: bool = True,
) -> PreparedData:
    """Read what was prepared of `files`, which have these hashes; `fields` have learned afterwards.

    Columns that are not trusted are held to what their fields can have written, which reads all of them.
    Raises OSError or ValueError if it is damaged.
    """
    try:
        load_fields(fields, lambda name: (directory / name).read_text(encoding="utf-8"), directory)
    except ModelError as error:
        raise ValueError(str(error)) from error
    report = PreparationReport.from_json((directory / REPORT).read_text(encoding="utf-8"), files)
    for field in names_fields(fields):
        field.unknown = {name: location for name, _, location in report.valid.unknown_names}
    if not is_trusted:
        for part, counted in ((TRAIN, report.train), (VALID, report.valid)):
            check_columns(directory / part, fields, counted.examples)
    valid = _open_part(directory / VALID, fields) if report.valid.examples else None
    return PreparedData(_open_part(directory / TRAIN, fields), valid, report, fields, hashes)


def _job(
    data: DataConfig,
    fields: Sequence[Field],
    seed: int,
    *,
    threads: int | None,
    tell: Callable[[Preparing], None],
    fold: Fold | None = None,
) -> _Job:
    valid = Source.validation(data)
    train, valid = spool(Source.training(data)), valid and spool(valid)
    building = Building(train, valid, fields, data, seed, threads, Progress(tell), fold)
    building.progress.plan(building.passes())
    return _Job(building)


def _open_part(directory: Path, fields: Sequence[Field]) -> Dataset:
    return Dataset.open(directory, [field.name for field in fields])
