"""The evaluations of a training as a table that grows row by row and fits the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from seqrnn.library.figures import clock, head, shown
from seqrnn.training.events import Evaluated

HIDDEN = (
    "task",
    "examples",
    "tokens",
    "micro_f1",
    "unknown_labels",
    "unknown_tokens",
    "expected_calibration_error",
    "expected_calibration_error_uncalibrated",
)
"""Figures that have no column of their own; what is unknown is said before the training."""
MIN_WIDE, MIN_NARROW = 8, 7  # characters of a column at least
MARK = "  best"


class EvaluationTable:
    """Lays out rows of figures; the first row decides which columns fit into `width` characters.

    Where not all do, the names of columns are wrapped, then columns are left out: the passes, the time, and
    figures from the last one on, but the loss and the figure that decides what is best.
    """

    def __init__(self, width: int | None) -> None:
        self._width = width
        self._names: list[str] = []
        self._widths: list[int] = []

    def head(self, event: Evaluated) -> list[str]:
        """Choose the columns, and return the lines of the head; nothing if that was done before."""
        if self._names:
            return []
        cells = _cells(event)
        heads = {name: [_title(name)] for name in cells}
        if not self._fits(list(cells), heads, cells, MIN_WIDE):
            heads = {name: textwrap.wrap(_title(name), MIN_NARROW, break_long_words=False) for name in cells}
        names, least = list(cells), MIN_WIDE if len(max(heads.values(), key=len)) == 1 else MIN_NARROW
        for spare in _spare(cells, event.metric):
            if self._fits(names, heads, cells, least):
                break
            names.remove(spare)
        self._names, self._widths = names, _widths(names, heads, cells, least)
        lines = max(len(heads[name]) for name in names)
        padded = {name: [""] * (lines - len(heads[name])) + heads[name] for name in names}
        return [self._line([padded[name][line] for name in names]) for line in range(lines)]

    def row(self, event: Evaluated) -> str:
        """Return a row, marked if it is the best so far."""
        cells = _cells(event)
        return self._line([cells[name] for name in self._names]) + (MARK if event.best else "")

    def _fits(
        self, names: Sequence[str], heads: Mapping[str, list[str]], cells: Mapping[str, str], least: int
    ) -> bool:
        if self._width is None:
            return True
        widths = _widths(names, heads, cells, least)
        return sum(widths) + len(widths) - 1 + len(MARK) <= self._width

    def _line(self, cells: Sequence[str]) -> str:
        return " ".join(f"{cell:>{width}}" for cell, width in zip(cells, self._widths, strict=True))


def figures(metrics: Mapping[str, Any]) -> str:
    """Write the figures of an evaluation that have a column in one line."""
    named = ((name, value) for name, value in metrics.items() if name not in HIDDEN)
    return ", ".join(f"{head(name)} {shown(name, value)}" for name, value in named)


def _cells(event: Evaluated) -> dict[str, str]:
    """Return what a row can show, by the name of its column."""
    told = {
        "step": f"{event.step:,}",
        "epoch": f"{event.epoch:.2f}",
        "time": clock(event.seconds),
        "train loss": f"{event.train_loss:.4f}",
    }
    measured = {name: shown(name, value) for name, value in event.metrics.items() if name not in HIDDEN}
    return {**told, **measured}


def _title(name: str) -> str:
    return "valid loss" if name == "loss" else head(name)


def _spare(cells: Mapping[str, str], metric: str) -> list[str]:
    """Return the columns that may be left out, those that are missed least first."""
    needed = {"step", "epoch", "time", "loss", metric}
    return ["epoch", "time", *(name for name in reversed(list(cells)) if name not in needed)]


def _widths(
    names: Sequence[str], heads: Mapping[str, list[str]], cells: Mapping[str, str], least: int
) -> list[int]:
    return [max(least, len(cells[name]), *map(len, heads[name])) for name in names]
