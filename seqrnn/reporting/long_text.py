"""What a report measures of one very long text, so that it is made in a minute."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seqrnn.data.dataset.columns import Dataset
from seqrnn.library.measuring import EncodedData

LONGEST_STREAM = 100_000  # tokens that are read one after another
MOST_STREAMS = 20  # parts of a text that are measured


def bounded(data: EncodedData) -> tuple[EncodedData, int]:
    """Return what is measured of data, and in how many streams: all, or parts spread evenly over a text.

    The notes of the data say so where it is not all at once.
    """
    from seqrnn.training.evaluation import streams_of

    streams = streams_of(data.dataset, LONGEST_STREAM) if data.task.stream else 1
    if streams == 1:
        return data, streams
    if streams <= MOST_STREAMS:
        return _noted(data, f"the text was measured in {streams} parts, side by side"), streams
    ((name, column),) = data.dataset.columns.items()
    starts = np.linspace(0, len(column.values) - LONGEST_STREAM, MOST_STREAMS).astype(np.int64)
    some = replace(data, dataset=Dataset({name: column.stretches(starts, LONGEST_STREAM)}))
    share = f"{MOST_STREAMS * LONGEST_STREAM:,} of {len(column.values):,} tokens"
    told = f"the figures are of {share}, in {MOST_STREAMS} parts of the text; `seqrnn evaluate` measures all"
    return _noted(some, told), MOST_STREAMS


def _noted(data: EncodedData, note: str) -> EncodedData:
    return replace(data, notes=(*data.notes, note))
