"""Figures and tables as plain text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqrnn.library.figures import head, shown


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows under their headings, numbers to the right."""
    names = list(rows[0])
    cells = [[head(name) for name in names], *([shown(name, row[name]) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numeric = [not isinstance(rows[0][name], str) for name in names]
    return "".join(_line(line, widths, numeric) for line in cells)


def pairs(figures: Mapping[str, Any]) -> str:
    """Write one figure a line."""
    width = max(len(head(name)) for name in figures)
    return "".join(f"{head(name):<{width}}  {shown(name, value)}\n" for name, value in figures.items())


def _line(cells: list[str], widths: list[int], numeric: list[bool]) -> str:
    padded = (
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    )
    return "  ".join(padded).rstrip() + "\n"
