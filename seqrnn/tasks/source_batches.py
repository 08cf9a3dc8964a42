"""Batches of what is read, for tasks that write nothing: examples of about the same length together.

Shapes: B batch, T time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seqrnn.config import Config
from seqrnn.data.batching import Batch, Pass, batch_rows, limits_of
from seqrnn.data.columns import Column
from seqrnn.data.source_fields import SourceField


def source_rows(config: Config, field: SourceField, column: Column, order: Pass) -> Iterator[np.ndarray]:
    """Cut the examples of a column into batches of row numbers."""
    return batch_rows(field.lengths(column), limits_of(order, config.training), order)


def source_batch(config: Config, field: SourceField, column: Column, rows: np.ndarray) -> Batch:
    """Gather the examples `rows` (B,) of a column into `source` and `lengths` (B,)."""
    data = config.data
    width = data.max_tokens if data.lengths == "blank" and field.sequential else None
    lengths = field.lengths(column)[rows]
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
