"""A plugin of pytest that adds a cell of these tests to the catalogue: one line, before anything reads it."""

from __future__ import annotations

from seqrnn.catalog import CELLS

CELLS["fast-weights"] = "fast_weights:FastWeights"
