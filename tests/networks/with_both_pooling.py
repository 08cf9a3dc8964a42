"""A plugin of pytest that adds a pooling to the catalogue before the tests are collected."""

from __future__ import annotations

from seqrnn.catalog import POOLINGS

POOLINGS["both"] = "both_pooling:BothPooling"
