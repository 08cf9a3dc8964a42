"""Batches of inputs, for tasks that generate nothing: examples of about the same length together.

Shapes: B batch, T time.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from seqrnn.config import Config
from seqrnn.data.dataset.batching import Batch, BatchOrder, Lengths, batch_rows, fixed_width, limits_of
from seqrnn.data.dataset.columns import Column, Dataset
from seqrnn.data.fields.source_fields import SourceField


def source_batch_count(config: Config, field: SourceField, dataset: Dataset, order: BatchOrder) -> int:
    """Return how many batches a pass has."""
    return sum(1 for _ in _rows(config, field, dataset["source"], order))


def source_batches(
    config: Config, field: SourceField, dataset: Dataset, order: BatchOrder
) -> Iterator[Batch]:
    """Cut the examples of a data set into batches of `source` and `lengths` (B,)."""
    column = dataset["source"]
    for rows in _rows(config, field, column, order):
        yield source_batch(config, field, column, rows)


def _rows(config: Config, field: SourceField, column: Column, order: BatchOrder) -> Iterator[np.ndarray]:
    lengths = Lengths(len(column), partial(field.lengths, column))
    return batch_rows(lengths, limits_of(order, config.training), order)


def source_batch(config: Config, field: SourceField, column: Column, rows: np.ndarray) -> Batch:
    """Gather the examples `rows` (B,) of a column into `source` and `lengths` (B,)."""
    width = fixed_width(config.data, column) if field.sequential else None
    lengths = field.lengths(column, rows)
    if width is not None:
        lengths = np.minimum(lengths, width)
    longest = int(lengths.max(initial=0)) if width is None else width
    return Batch(
        {"source": field.gather(column, rows, width), "lengths": lengths},
        targets=len(rows),
        tokens=int(lengths.sum()),
        positions=len(rows) * longest,
        rows=rows,
    )
