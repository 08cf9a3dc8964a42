"""The data that a run itself names to be measured on: its test data, those it validated on, or held out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import compress

from seqrnn.answering.opened_run import OpenedRun
from seqrnn.data.dataset.building import Building
from seqrnn.data.dataset.cache import file_hashes
from seqrnn.data.dataset.progress import Progress
from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.lines import file_name
from seqrnn.data.record import Record
from seqrnn.data.source import Source


@dataclass(frozen=True)
class OwnData:
    """Rows that a run was not trained on, what they are, and the files that they are in."""

    name: str
    files: tuple[str, ...]
    records: Callable[[], Iterator[Record]]


def own_data(run: OpenedRun) -> OwnData | None:
    """Return the rows of a run's test data, or of those to validate on; None where there are none any more.

    A part that was held out is found again only if the files are those of the training (sha256).
    """
    data = run.config.data
    for what, source in (("test data", Source.test(data)), ("validation data", Source.validation(data))):
        if source is not None and _are_there(source):
            return OwnData(f"its {what}", source.files, partial(_records, source))
    source = Source.training(data)
    if Source.validation(data) is not None or not data.valid_fraction or not _are_there(source):
        return None
    if _has_changed(run, source):
        return None
    return OwnData("the part that it held out", source.files, partial(_held_out, run, source))


def _records(source: Source) -> Iterator[Record]:
    return iter(read_records(source))


def _are_there(source: Source) -> bool:
    return all(os.path.isfile(path) or os.path.isdir(path) for path in source.files)


def _has_changed(run: OpenedRun, source: Source) -> bool:
    from seqrnn.training.state import SavedState

    saved = SavedState.read(run.checkpoint).data
    found = file_hashes(source.files, kind=run.config.data.source_kind)
    return any(saved.get(file_name(path)) != content for path, content in found.items())


def _held_out(run: OpenedRun, source: Source) -> Iterator[Record]:
    """Yield what the training held out, divided as it was then."""
    config = run.config
    built = Building(source, None, run.task.fields, config.data, config.training.seed, None, Progress())
    for records, held_out in built.parts(read_records(source)):
        yield from compress(records, held_out)
