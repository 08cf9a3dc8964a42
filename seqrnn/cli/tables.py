"""Figures and tables as plain text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqrnn.data.lines import in_one_cell

RATES = {"accuracy", "macro_f1", "micro_f1", "span_f1", "precision", "recall", "f1"}
RATES |= {"exact_match", "wer", "token_error_rate", "coverage", "covered_accuracy"}
HEADS = {"bits_per_character": "bits/char"}


def head(name: str) -> str:
    """Return the heading of a figure."""
    return HEADS.get(name, name.replace("_", " "))


def shown(name: str, value: Any) -> str:
    """Write a figure: rates in per cent, counts with separators, others with four decimals, - for none.

    A squared error, whose unit is that of the data, is written with four digits.
    """
    if value is None:
        return "-"
    if name in RATES:
        return f"{value:.2%}"
    if name == "mse":
        return f"{value:.4g}"
    if isinstance(value, float):
        return f"{value:,.4f}"
    return f"{value:,}" if isinstance(value, int) else in_one_cell(str(value))


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


def clock(seconds: float) -> str:
    """Write a duration as `1:02:03`, `2:03` or `0:03`."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
