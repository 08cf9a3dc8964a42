"""Everything that one pass over some data shows of them.

What depends on the rows alone (counts, labels, texts that come again, suspicious rows) is taken from all
of them, or from blocks that are spread evenly over a large file; there, whole lines are compared instead
of texts. What depends on tokens is measured on all rows of small data, and on a sample of about
`SAMPLE_ROOM` of larger ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.dataset.building import READING, Building
from seqrnn.data.dataset.line_blocks import LineBlock
from seqrnn.data.dataset.progress import Pass, bytes_in
from seqrnn.data.fields.named_files import names_array, names_image
from seqrnn.data.formats.record_reader import RecordReader, read_records
from seqrnn.data.grouping import batched
from seqrnn.data.record import NO_FIELDS, Record, size_of
from seqrnn.data.spread_sample import SpreadSample
from seqrnn.inspection.repeats import RepeatCounter, Repeats
from seqrnn.inspection.spread_source import checksums, spread, step_of
from seqrnn.inspection.suspicions import Suspicion, SuspicionCounter
from seqrnn.tasks.answers_seen import AnswersSeen
from seqrnn.tasks.task import Task

SAMPLE_ROOM = 8 << 20  # characters, or bytes of numbers, of the rows whose tokens are measured
OF_FILE = 64 << 10  # that a row counts for which names an image, since that must be decoded
OF_NUMBER = 8
FIRST_ROWS = 3

Parts = Iterable[tuple[list[Record], NDArray[np.bool_]]]


@dataclass(frozen=True)
class SampledRows:
    """Rows whose tokens are measured: of the training part and of the validation part, of `share` of all."""

    train: list[Record]
    valid: list[Record]
    share: float


@dataclass
class Survey:
    """What was found; `answers` are those of both parts, gathered in the task's own way.

    Of each source, one block in so many (`one_in`) was read. `stops` are reasons for which a training would
    end before it begins, `stopping` the number of such rows.
    """

    one_in: list[int] = field(default_factory=list)
    examples: int = 0
    held_out: int = 0
    blank: int = 0
    replaced_bytes: int = 0
    first: list[Record] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    repeats: Repeats | None = None
    suspicious: list[Suspicion] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    stopping: int = 0


class Surveyor:
    """Reads the data of a training once, as the training would read and divide them."""

    def __init__(self, building: Building, task: Task) -> None:
        self.building = building
        self._task = task
        self._answers: tuple[AnswersSeen, AnswersSeen] = (task.answers_seen(), task.answers_seen())
        self._repeats = RepeatCounter()
        self._repeated_lines = RepeatCounter()
        self._watching = False
        self._suspicions = SuspicionCounter()
        self._blank = Suspicion("without text, which are left out")
        self._samples: list[_Sample] = []
        self._survey = Survey()

    def read(self) -> tuple[Survey, list[SampledRows]]:
        """Read all files; return what was found, and rows of the training files and of those to validate on.

        Raises DataError at a row that cannot be read at all."""
        built = self.building
        built.progress.plan([Pass(READING, bytes_in(built.paths), 1)])
        steps = list(map(step_of, built.sources))
        self._survey.one_in = steps
        for number, (source, step) in enumerate(zip(built.sources, steps, strict=True)):
            watch = partial(self._compare_lines, held_out=number > 0)
            read = source if max(steps) == 1 else spread(source, step, watch)
            reader = read_records(read, built.progress.taken)
            parts = _all_held_out(reader) if number else built.parts(reader)
            self._watching = True  # one text has been read once by now, to find its last part
            self._take(reader, parts, step)
            self._watching = False
        return self._found(), self._sampled()

    def _compare_lines(self, block: LineBlock, held_out: bool) -> None:
        """Compare all lines of a large file, of which not all are read as rows."""
        if self._watching:
            filled = [(number, line) for number, line in enumerate(block.lines) if line.strip()]
            numbers = np.array([number for number, _ in filled], dtype=np.int64) + block.line + 1
            lines = checksums([line for _, line in filled])
            self._repeated_lines.add_lines(lines, block.name, numbers, held_out)

    def _take(self, reader: RecordReader, parts: Parts, step: int) -> None:
        sample = _Sample(step)
        for records, held_out in parts:
            usable = self._usable(records, held_out)
            sample.add(list(compress(records, usable)), held_out[usable])
            self._look_at(records, held_out)
        self._samples.append(sample)
        self._survey.blank += reader.blank
        self._survey.replaced_bytes += reader.replaced
        self._blank.count += reader.blank
        self._blank.places += reader.blank_at

    def _usable(self, records: list[Record], held_out: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Take note of the answers of some records; return which can be learned from, (n,)."""
        usable = np.ones(len(records), dtype=bool)
        for answers, chosen in zip(self._answers, (~held_out, held_out), strict=True):
            if chosen.any():
                usable[chosen] = answers.add(list(compress(records, chosen)))
        return usable

    def _look_at(self, records: list[Record], held_out: NDArray[np.bool_]) -> None:
        """Take note of some records themselves."""
        survey = self._survey
        held = int(held_out.sum())
        survey.examples += len(records) - held
        survey.held_out += held
        survey.first += records[: FIRST_ROWS - len(survey.first)]
        if self.building.is_one_text:
            filled = np.fromiter((not record.is_blank for record in records), bool, len(records))
            records, held_out = list(compress(records, filled)), held_out[filled]
        self._repeats.add(records, held_out)
        self._suspicions.add(records)

    def _found(self) -> Survey:
        survey = self._survey
        if max(survey.one_in) == 1:
            survey.repeats = self._repeats.result()
        else:
            fraction = 0.0 if self.building.valid else self.building.fraction
            survey.repeats = self._repeated_lines.of_lines(fraction)
        train, valid = self._answers
        survey.answers = {"train": train.result(), "valid": valid.result()}
        survey.stops = [*train.refused, *valid.refused]
        survey.stopping = train.refusals + valid.refusals
        sizes = [record.length for sample in self._samples for record in sample.records()]
        usual = float(np.percentile(sizes, 95)) if sizes else 0.0
        survey.suspicious = [*filter(lambda each: each.count, [self._blank]), *self._suspicions.found(usual)]
        return survey

    def _sampled(self) -> list[SampledRows]:
        return [sample.rows() for sample in self._samples]


def _all_held_out(reader: RecordReader) -> Parts:
    return ((batch, np.ones(len(batch), dtype=bool)) for batch in batched(reader, size_of))


class _Sample:
    """Batches of the rows of some files, spread evenly over them, without the fields of JSON."""

    def __init__(self, step: int) -> None:
        self._step = step  # of so many blocks one is read
        self._batches: SpreadSample[tuple[list[Record], NDArray[np.bool_]]] = SpreadSample(SAMPLE_ROOM)
        self._size = 0  # of all rows

    def add(self, records: list[Record], held_out: NDArray[np.bool_]) -> None:
        """Take a batch."""
        self._size += sum([record.length for record in records])
        taken = records if self._batches.takes_next else []
        self._batches.add(
            ([row._replace(fields=NO_FIELDS) for row in taken], held_out), sum(map(_weight, taken))
        )

    def records(self) -> Iterator[Record]:
        """Yield all rows that are kept."""
        return (record for records, _ in self._batches.items for record in records)

    def rows(self) -> SampledRows:
        """Return the rows that are kept."""
        train = [row for rows, held in self._batches.items for row in compress(rows, ~held)]
        valid = [row for rows, held in self._batches.items for row in compress(rows, held)]
        kept = sum([record.length for record in (*train, *valid)])
        share = 1.0 if self._batches.is_all else kept / max(self._size, 1)
        return SampledRows(train, valid, share / self._step)


def _weight(record: Record) -> int:
    """Return about how many bytes a row takes, and what must be read for it."""
    if record.steps is not None:
        width = len(record.steps[0]) if len(record.steps) and hasattr(record.steps[0], "__len__") else 1
        return OF_NUMBER * len(record.steps) * max(width, 1)
    return record.size + (OF_FILE if names_image(record) or names_array(record) else 0)
