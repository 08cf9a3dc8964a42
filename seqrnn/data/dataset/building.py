"""From sources to columns on disk, and what to say where no example is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqrnn.config import DataConfig, Holdout
from seqrnn.data.dataset.encoding import OverLength, PartWriter, counted_name
from seqrnn.data.dataset.line_preparation import BlockOffsets, LinePart, LineSource
from seqrnn.data.dataset.preparation_report import PartReport, PreparationReport
from seqrnn.data.dataset.progress import Pass, Progress, bytes_in
from seqrnn.data.dataset.records_ahead import Records, read_ahead
from seqrnn.data.dataset.split import (
    Fold,
    FoldSplit,
    RandomSplit,
    SourceSplit,
    Split,
    StratifiedSplit,
    TailSplit,
    TextSplit,
    assign,
)
from seqrnn.data.fields.field import Field, vocabulary_files
from seqrnn.data.fields.names import names_fields
from seqrnn.data.formats.record_reader import RecordReader, read_records
from seqrnn.data.formats.registry import format_named
from seqrnn.data.grouping import batched
from seqrnn.data.lines import file_name
from seqrnn.data.record import Record, size_of
from seqrnn.data.source import Source
from seqrnn.errors import DataError

SAMPLE = 60  # characters of a text that a message shows
TRAIN, VALID = "train", "valid"  # folders of columns
READING, MEASURING, LEARNING, ENCODING = "reading", "measuring", "learning", "encoding"
COSTS = {"char": (3, 4), "byte": (0, 4), "bpe": (50, 50)}  # to learn and to encode, unlike words


@dataclass(frozen=True)
class Building:
    """What becomes columns; without `valid`, the `fold` or else `fraction` of `train` is held out."""

    train: Source
    valid: Source | None
    fields: Sequence[Field]
    data: DataConfig
    seed: int
    threads: int | None
    progress: Progress
    fold: Fold | None = None

    @property
    def fraction(self) -> float:
        """Share of the training source that is held out."""
        if self.fold:
            return 1 / self.fold.of
        return 0.0 if self.valid else self.data.valid_fraction

    @property
    def sources(self) -> list[Source]:
        """The training source, and that of the validation part if there is one."""
        return [self.train, *filter(None, (self.valid,))]

    @property
    def paths(self) -> list[str]:
        """All files."""
        return [path for source in self.sources for path in source.files]

    @property
    def is_one_text(self) -> bool:
        """Whether the training files are one text, of which the last part is held out."""
        return format_named(self.train.format).is_one_text

    def passes(self) -> list[Pass]:
        """Return the passes over the files, by what each costs; some may be left out."""
        kind = self.data.source_kind
        train, valid = (
            bytes_in(self.train.files, kind),
            bytes_in(self.valid.files if self.valid else (), kind),
        )
        learning, encoding = self._costs()
        return [
            Pass(READING, train + valid, 1),
            Pass(MEASURING, train if self.fraction else 0, 2),
            Pass(LEARNING, train, learning),
            Pass(ENCODING, train, encoding),
            Pass(ENCODING, valid, encoding),
        ]

    def _costs(self) -> tuple[int, int]:
        """Return what a byte costs that is learned from, and one that is encoded, if one to hash costs 1."""
        lines = LineSource.of(self.train, self.fields, self.data.over_length)
        if lines is None:
            return 50, 50
        return COSTS.get(lines.field.settings.kind, (12, 12))

    def parts(self, reader: RecordReader) -> Iterator[tuple[list[Record], NDArray[np.bool_]]]:
        """Yield the training files' records in batches, with which are held out (n,), as training has it."""
        counted = self.is_one_text and self.fraction
        return assign(self._split(sum(len(record.source) for record in reader) if counted else 0), reader)

    def build(self, directory: Path) -> PreparationReport:
        """Write a directory of columns for each part, and beside them what the fields have learned.

        Raises DataError for data that cannot be used.
        """
        _require_rows(self.train, read_records(self.train))
        lines = LineSource.of(self.train, self.fields, self.data.over_length, self.progress.taken)
        if lines is None or self.fold:
            report = self._of_records(directory)
        else:
            report = self._of_lines(lines, directory)
        report.unit = "line" if self.is_one_text else "example"
        report.token = counted_name(self.fields)
        report.divided = self.fraction > 0
        report.remarks = [remark for field in names_fields(self.fields) for remark in field.remarks]
        if self.valid:
            self.progress.begin(ENCODING)
            report.valid = encode_part(
                self.valid,
                self.fields,
                directory / VALID,
                self.data.over_length,
                progress=self.progress,
                threads=self.threads,
            )
        return report

    def _of_lines(self, lines: LineSource, directory: Path) -> PreparationReport:
        with lines.coders(self.threads) as working:
            self.progress.begin(MEASURING)
            offsets = lines.hold_out(working, self._text_split(characters=0))
            self.progress.begin(LEARNING)
            if lines.counts:
                lines.learn(working, offsets, directory)
            elif lines.field.settings.kind == "byte":
                lines.field.settle()  # there is nothing to learn
            else:
                with read_ahead(self.train, self.threads, self.progress.taken) as reader:
                    self._learn(reader)
            self._keep_learned(directory)
            self.progress.begin(ENCODING)
            with (
                LinePart(directory / TRAIN, lines.field) as train,
                LinePart(directory / VALID, lines.field) as valid,
            ):
                blank, replaced = lines.encode(working, offsets, (train, valid))
        return self._report(train.report, valid.report, blank, replaced)

    def _of_records(self, directory: Path) -> PreparationReport:
        with read_ahead(self.train, self.threads, self.progress.taken) as reader:
            split = self._learn(reader)
            self._keep_learned(directory)
            self.progress.begin(ENCODING)
            with (
                PartWriter(directory / TRAIN, self.fields, self.data.over_length) as train,
                PartWriter(directory / VALID, self.fields, self.data.over_length) as valid,
            ):
                for records, held_out in assign(split, reader):
                    train.add(_chosen(records, ~held_out))
                    valid.add(_chosen(records, held_out))
        return self._report(train.report, valid.report, reader.blank, reader.replaced)

    def _learn(self, reader: Records) -> Split:
        """Let all fields learn in one pass; return what divides the records."""
        self.progress.begin(MEASURING)
        counted = self.is_one_text and self.fraction
        split = self._split(sum(len(record.source) for record in reader) if counted else 0)
        self.progress.begin(LEARNING)
        some = False
        for records, held_out in assign(split, reader):
            trained_on = _chosen(records, ~held_out)
            some |= bool(trained_on)
            for field in self.fields:
                field.observe(records if field.requires_known_values else trained_on)
        if not some:
            raise self._all_held_out()
        for field in self.fields:
            field.settle()
        return split

    def _split(self, characters: int) -> Split:
        if self.fold:
            return FoldSplit(self.fold, self.seed, self._holdout)
        if self._holdout == "stratified":
            return StratifiedSplit(self.fraction, self.seed)
        return self._text_split(characters)

    @property
    def _holdout(self) -> Holdout:
        """What is drawn; a label that is written from comes again and again: that is its examples."""
        of_labels = self.data.holdout == "sources" and self.data.source_kind == "label"
        return "examples" if of_labels else self.data.holdout

    def _text_split(self, characters: int) -> TextSplit:
        if self.is_one_text and self.fraction:
            return TailSplit(self.fraction, characters)
        if self._holdout == "sources":
            return SourceSplit(self.fraction, self.seed)
        return RandomSplit(self.fraction, self.seed)

    def _keep_learned(self, directory: Path) -> None:
        for name, content in vocabulary_files(self.fields).items():
            (directory / name).write_text(content, encoding="utf-8")

    def _report(self, train: PartReport, valid: PartReport, blank: int, replaced: int) -> PreparationReport:
        if valid.examples + valid.skipped and not train.examples + train.skipped:
            raise self._all_held_out()
        _require_examples(train, self.train, blank)
        return PreparationReport(train, valid, blank, replaced, self.data.max_tokens)

    def _all_held_out(self) -> DataError:
        name = file_name(self.train.paths[0])
        return DataError(f"{name}: every example was held out; lower `data.valid_fraction`")


def encode_part(
    source: Source,
    fields: Sequence[Field],
    directory: Path,
    over_length: OverLength,
    *,
    progress: Progress | None = None,
    threads: int | None = 1,
    look: Callable[[Sequence[Record]], None] | None = None,
) -> PartReport:
    """Encode a source into columns under `directory`, with fields that have learned; return the counts.

    `look` is shown all records on their way, some at a time.
    Raises DataError if no example is left, or one cannot be encoded.
    """
    progress = progress or Progress()
    lines = LineSource.of(source, fields, over_length, progress.taken)
    if lines and look is None:  # blocks of lines never become records
        with lines.coders(threads) as working, LinePart(directory, lines.field) as column:
            blank, _ = lines.encode(working, BlockOffsets(None), [column])
        report = column.report
    else:
        with (
            read_ahead(source, threads, progress.taken) as reader,
            PartWriter(directory, fields, over_length) as part,
        ):
            for records in batched(reader, size_of):
                if look:
                    look(records)
                part.add(records)
        report, blank = part.report, reader.blank
    _require_examples(report, source, blank)
    return report


def _chosen(records: list[Record], chosen: NDArray[np.bool_]) -> list[Record]:
    return records if chosen.all() else list(compress(records, chosen))


def _require_rows(source: Source, reader: RecordReader) -> None:
    if next(iter(reader), None) is None:
        raise _without_rows(source, reader.blank)


def _require_examples(report: PartReport, source: Source, blank: int) -> None:
    if report.skipped and not report.examples:
        first = next(iter(read_records(source)), None)  # unlike the first line, which may be a header
        longer = f"longer than `data.max_tokens`{_such_as(first and first.source)}"
        what = f"all {report.skipped} examples are {longer}"
        raise DataError(f"{file_name(source.paths[0])}: {what}; raise it")
    if not report.examples:
        raise _without_rows(source, blank)


def _without_rows(source: Source, blank: int) -> DataError:
    what = "is empty"
    if blank and format_named(source.format).is_folder:
        what = f"all {blank} files in it are empty"
    elif blank:
        lines = replace(source, encoding_errors="replace").lines(source.paths[0])
        line = next(lines, None)  # stdin has none left
        what = f"all {blank} rows are without text{_such_as(line and line.text)}"
    return DataError(f"{file_name(source.paths[0])}: {what}; give at least one example")


def _such_as(text: str | None) -> str:
    return f", such as {text[:SAMPLE]!r}" if text else ""
