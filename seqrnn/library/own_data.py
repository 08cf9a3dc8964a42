"""The rows that a run was validated on, found again: a file of their own, or the part that was held out."""

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
from seqrnn.errors import ModelError
from seqrnn.library.prepared import is_prepared


@dataclass(frozen=True)
class OwnData:
    """Rows that a run was not trained on, what they are, and the files that they are in.

    `read` yields them, and tells what it is given how many bytes of a file were read, whenever some were.
    """

    name: str
    files: tuple[str, ...]
    read: Callable[[Callable[[int], None]], Iterator[Record]]

    def records(self) -> Iterator[Record]:
        """Yield the rows."""
        return self.read(lambda _: None)


def own_data(run: OpenedRun) -> OwnData | None:
    """Return the rows that a run was validated on; None where there are none, or not as they were.

    A run from somewhere else may name any file, so one is read only if it has the hash (sha256) that was
    kept when the training read it.
    """
    data = run.config.data
    if is_prepared(data):
        return None  # which holds no rows
    if (source := Source.validation(data)) is not None:
        if not _are_as_they_were(run, source):
            return None
        return OwnData("its validation data", source.files, partial(_records, source))
    source = Source.training(data)
    if not data.valid_fraction or not _are_as_they_were(run, source):
        return None
    return OwnData("the part that it held out", source.files, partial(_held_out, run, source))


def _records(source: Source, taken: Callable[[int], None]) -> Iterator[Record]:
    return iter(read_records(source, taken))


def _are_as_they_were(run: OpenedRun, source: Source) -> bool:
    from seqrnn.training.state import SavedState

    if not all(os.path.isfile(path) or os.path.isdir(path) for path in source.files):
        return False
    try:
        saved = SavedState.read(run.checkpoint).data
    except ModelError:  # of a model that cannot be trained on, such as one of int8, there is no such state
        return False
    found = file_hashes(source.files, kind=run.config.data.source_kind)
    return all(saved.get(file_name(path)) == content for path, content in found.items())


def _held_out(run: OpenedRun, source: Source, taken: Callable[[int], None]) -> Iterator[Record]:
    """Yield what the training held out, divided as it was then."""
    config = run.config
    built = Building(source, None, run.task.fields, config.data, config.training.seed, None, Progress())
    for records, held_out in built.parts(read_records(source, taken)):
        yield from compress(records, held_out)
