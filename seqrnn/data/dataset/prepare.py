"""From files to columns: split, learn the fields on the training part, encode, and remember the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from seqrnn.config import DataConfig
from seqrnn.data.dataset.cache import cached, content_key, file_hashes
from seqrnn.data.dataset.cache_lock import EntryLock
from seqrnn.data.dataset.columns import Dataset
from seqrnn.data.dataset.encoding import OverLength, PartWriter, counted_name
from seqrnn.data.dataset.preparation_report import PartReport, PreparationReport
from seqrnn.data.dataset.split import RandomSplit, SourceSplit, Split, TailSplit
from seqrnn.data.fields.field import Field, learned, load_fields
from seqrnn.data.fields.named_files import fingerprint, names_array
from seqrnn.data.fields.names import NamesField
from seqrnn.data.formats.record_reader import RecordReader, read_records
from seqrnn.data.lines import file_name, read_lines
from seqrnn.data.source import Source, spool
from seqrnn.errors import DataError, ModelError

REPORT = "report.json"
SAMPLE = 60  # characters of a text that a message shows


@dataclass(frozen=True)
class Prepared:
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

    train: Source
    valid: Source | None
    fields: Sequence[Field]
    data: DataConfig
    seed: int

    @property
    def fraction(self) -> float:
        """Share of the training source that is held out."""
        return 0.0 if self.valid else self.data.valid_fraction

    @property
    def files(self) -> list[str]:
        """The names by which messages call the files, whatever is cached of their content."""
        sources = [source for source in (self.train, self.valid) if source]
        return [file_name(path) for source in sources for path in (*source.paths, source.target_path) if path]

    @cached_property
    def hashes(self) -> dict[str, str]:
        """The sha256 of each file."""
        sources = [source for source in (self.train, self.valid) if source]
        return file_hashes(path for source in sources for path in (*source.paths, source.target_path) if path)

    def key(self) -> str:
        """Return the name of the result in the cache."""
        sources = [source for source in (self.train, self.valid) if source]
        layout = [(len(source.paths), replace(source, paths=(), target_path=None)) for source in sources]
        described = [field.description for field in self.fields]
        share = (self.fraction, self.data.holdout, self.seed)
        settings = (layout, share, self.data.over_length, self.data.max_tokens, described)
        paths = [path for source in sources for path in (*source.paths, source.target_path) if path]
        named = [self._named_files(source) for source in sources]
        return content_key([self.hashes[path] for path in paths], repr((settings, named)))

    def _named_files(self, source: Source) -> str:
        """Return what tells the images or arrays that the records name from other ones."""
        if self.data.source_kind not in {"image", "vector", "vectors"}:
            return ""
        reader = read_records(source)
        first = next(iter(reader), None)
        names_files = first is not None and (self.data.source_kind == "image" or names_array(first))
        return fingerprint(reader) if names_files else ""


def prepare(data: DataConfig, fields: Sequence[Field], seed: int) -> Prepared:
    """Read, split and encode the data of a training; `fields` have learned their vocabulary afterwards.

    Without a validation file, `valid_fraction` is held out: of a text its last part, of examples a
    random part that depends on `seed`. The result is cached by content. Raises UsageError or
    DataError for data that cannot be used, OutputError where they cannot be written.
    """
    valid = Source.validation(data)
    job = _Job(spool(Source.training(data)), valid and spool(valid), fields, data, seed)
    prepared, lock = cached(job.key(), partial(_build, job), partial(_open, job))
    return replace(prepared, lock=lock)


def encode_dataset(
    source: Source, fields: Sequence[Field], directory: Path, over_length: OverLength
) -> Dataset:
    """Encode a source into columns under `directory`, with fields that have learned already.

    Raises DataError if no example is left, or one cannot be encoded.
    """
    encode_part(source, fields, directory, over_length)
    return _open_part(directory, fields)


def encode_part(
    source: Source, fields: Sequence[Field], directory: Path, over_length: OverLength
) -> PartReport:
    """Do as `encode_dataset`, and return the counts."""
    reader = read_records(source)
    with PartWriter(directory, fields, over_length) as part:
        for record in reader:
            part.add(record)
    _require_examples(part.report, source, reader)
    return part.report


def _build(job: _Job, directory: Path) -> None:
    """Fill the directory of a cache entry."""
    reader = read_records(job.train)
    _require_rows(job.train, reader)
    split = _split(job, reader)
    if all(held_out for _, held_out in split.assign(reader)):
        name = file_name(job.train.paths[0])
        raise DataError(f"{name}: every example was held out; lower --valid-fraction")
    for field in job.fields:
        field.learn(record for record, held_out in split.assign(reader) if field.closed or not held_out)
    for name, content in learned(job.fields).items():
        (directory / name).write_text(content, encoding="utf-8")
    report = _encode(job, split, directory)
    report.remarks = [remark for field in _of_names(job.fields) for remark in field.remarks]
    (directory / REPORT).write_text(report.to_json(job.files), encoding="utf-8")


def _split(job: _Job, reader: RecordReader) -> Split:
    if job.train.format == "text":
        return TailSplit(job.fraction, sum(len(record.source) for record in reader))
    # A label that is written from comes again and again: it is its examples that are drawn.
    if job.data.holdout == "sources" and job.data.source_kind != "label":
        return SourceSplit(job.fraction, job.seed)
    return RandomSplit(job.fraction, job.seed)


def _encode(job: _Job, split: Split, directory: Path) -> PreparationReport:
    """Write the columns of both parts."""
    reader = read_records(job.train)
    part = partial(PartWriter, fields=job.fields, over_length=job.data.over_length)
    with part(directory / "train") as train, part(directory / "valid") as valid:
        for record, held_out in split.assign(reader):
            (valid if held_out else train).add(record)
    _require_examples(train.report, job.train, reader)
    report = PreparationReport(train.report, valid.report, reader.blank, reader.replaced, job.data.max_tokens)
    report.unit = "line" if job.train.format == "text" else "example"
    report.token = counted_name(job.fields)
    if job.valid:
        report.valid = encode_part(job.valid, job.fields, directory / "valid", job.data.over_length)
    return report


def _open(job: _Job, directory: Path) -> Prepared:
    """Read a cache entry. Raises OSError or ValueError if it is damaged."""
    try:
        load_fields(job.fields, lambda name: (directory / name).read_text(encoding="utf-8"), directory)
    except ModelError as error:
        raise ValueError(str(error)) from error
    report = PreparationReport.from_json((directory / REPORT).read_text(encoding="utf-8"), job.files)
    for field in _of_names(job.fields):
        field.unknown = {name: place for name, _, place in report.valid.unknown_names}
    valid = _open_part(directory / "valid", job.fields) if report.valid.examples else None
    train = _open_part(directory / "train", job.fields)
    hashes = {file_name(path): content for path, content in job.hashes.items()}
    return Prepared(train, valid, report, job.fields, hashes)


def _of_names(fields: Sequence[Field]) -> list[NamesField]:
    return [field for field in fields if isinstance(field, NamesField)]


def _open_part(directory: Path, fields: Sequence[Field]) -> Dataset:
    return Dataset.open(directory, [field.name for field in fields])


def _require_rows(source: Source, reader: RecordReader) -> None:
    if next(iter(reader), None) is None:
        raise _without_rows(source, reader)


def _require_examples(report: PartReport, source: Source, reader: RecordReader) -> None:
    if report.skipped and not report.examples:
        first = next(iter(reader), None)  # other than the first line, which may be a header
        what = f"all {report.skipped} examples are longer than --max-tokens{_such_as(first and first.source)}"
        raise DataError(f"{file_name(source.paths[0])}: {what}; raise it")
    if not report.examples:
        raise _without_rows(source, reader)


def _without_rows(source: Source, reader: RecordReader) -> DataError:
    what = "is empty"
    if reader.blank:
        line = next(read_lines(source.paths[0], "replace"), None)  # stdin has none left
        what = f"all {reader.blank} rows are without text{_such_as(line and line.text)}"
    return DataError(f"{file_name(source.paths[0])}: {what}; give at least one example")


def _such_as(text: str | None) -> str:
    return f", such as {text[:SAMPLE]!r}" if text else ""
