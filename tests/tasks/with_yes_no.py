"""Adds a task to the catalogue."""

from __future__ import annotations

from seqrnn.catalog import TASKS

TASKS["yes-no"] = "yes_no_task:YesNo"
