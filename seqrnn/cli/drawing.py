"""Bars, histograms and curves of plain characters, as wide as the terminal."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from seqrnn.data.lines import in_one_cell, printable

if TYPE_CHECKING:
    from seqrnn.tasks.diagram import Diagram

EIGHTHS = " ▏▎▍▌▋▊▉█"
WIDEST = 120  # columns beyond which lines are hard to follow
WIDEST_BAR = 64
NARROWEST = 40
INDENT = "  "

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Paper:
    """What is drawn on: how many columns it has, and whether only ASCII can be shown."""

    width: int = 80
    ascii: bool = False

    @classmethod
    def of_stdout(cls) -> Paper:
        """Return what standard output is: the terminal's size, or what COLUMNS says, or 80 columns."""
        columns = shutil.get_terminal_size((80, 24)).columns
        return cls(min(max(columns, NARROWEST), WIDEST), not _shows_unicode())

    @property
    def marks(self) -> tuple[str, str]:
        """What two curves are drawn with."""
        return ("*", "o") if self.ascii else ("●", "○")

    def bar(self, share: float, width: int) -> str:
        """Draw a share of 0 to 1; what is more than nothing is seen."""
        share = min(max(share, 0.0), 1.0)
        if self.ascii:
            return "#" * max(round(share * width), share > 0)
        eighths = max(round(share * width * 8), share > 0)
        return EIGHTHS[-1] * (eighths // 8) + EIGHTHS[eighths % 8].strip()

    def clipped(self, text: str, width: int) -> str:
        """Return a text in one line of at most so many columns."""
        text = printable(in_one_cell(text))
        if cell_len(text) <= width:
            return text
        end = "..." if self.ascii else "…"
        return set_cell_size(text, max(width - len(end), 0)).rstrip() + end

    def wrapped(self, text: str, indent: str = INDENT) -> list[str]:
        """Break a text between words; further lines are indented more."""
        plain = printable(in_one_cell(text))
        return textwrap.wrap(
            plain,
            self.width,
            initial_indent=indent,
            subsequent_indent=indent + INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def bars(self, rows: Sequence[tuple[str, int, str]]) -> Iterator[str]:
        """Draw counts: a name, the count, and what else is to be said of it, a line each."""
        counts = [f"{count:,}" for _, count, _ in rows]
        ends = [end for _, _, end in rows]
        of_count, of_end = max(map(len, counts), default=0), max(map(len, ends), default=0)
        rest = self.width - len(INDENT) - of_count - of_end - 3 * 2
        names = [self.clipped(name, max(rest // 2, 8)) for name, _, _ in rows]
        of_name = max(map(cell_len, names), default=0)
        most = max((count for _, count, _ in rows), default=0)
        width = min(max(rest - of_name, 4), WIDEST_BAR)
        for name, count, (_, number, end) in zip(names, counts, rows, strict=True):
            bar = self.bar(number / most if most else 0.0, width)
            drawn = f"{INDENT}{set_cell_size(name, of_name)}  {bar:<{width}}"
            yield f"{drawn}  {count:>{of_count}}  {end:>{of_end}}".rstrip()

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
        """Write cells to the right under their headings."""
        widths = [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]
        for line in (heads, *rows):
            yield INDENT + "  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True))

    def curves(self, series: Sequence[tuple[str, Points]], height: int = 8) -> Iterator[str]:
        """Draw curves over one another, each with its mark; a point of a later one hides an earlier one's."""
        points = [point for _, line in series for point in line]
        if not points:
            return
        (left, right), (low, high) = _range([x for x, _ in points]), _range([y for _, y in points])
        names = [_short(high), *[""] * (height - 2), _short(low)]
        margin = max(map(len, names))
        width = self.width - len(INDENT) - margin - 2
        cells = [[" "] * width for _ in range(height)]
        for mark, line in series:
            for column, y in _columns(line, left, right, width):
                row = round((high - y) / (high - low) * (height - 1))
                cells[row][column] = mark
        axis = "|" if self.ascii else "│"
        for name, line_of_cells in zip(names, cells, strict=True):
            yield f"{INDENT}{name:>{margin}} {axis}{''.join(line_of_cells)}".rstrip()
        corner = "+" + "-" * width if self.ascii else "└" + "─" * width
        yield f"{INDENT}{'':>{margin}} {corner}"
        start, end = f"{left:,.0f}", f"{right:,.0f}"
        yield f"{INDENT}{'':>{margin}}  {start}{end:>{width - len(start)}}"

    def network(self, steps: Diagram, both_ways: bool) -> Iterator[str]:
        """Draw input, state and output of each step, from the bottom to the top."""
        there, back = ("->", "<->") if self.ascii else ("→", "⇄")
        arrows = [back if step.looks_ahead(both_ways) else there for step in steps[1:]]
        most = max(map(len, arrows), default=0)
        up = "^" if self.ascii else "↑"
        states = [step.state if step.state == "..." else f"[{step.state}]" for step in steps]
        columns = zip(states, steps, strict=True)
        widths = [max(map(len, (state, step.read, step.written))) for state, step in columns]
        apart = ["" for _ in arrows]

        def line(cells: Sequence[str], between: Sequence[str]) -> str:
            centred = [f"{cell:^{width}}" for cell, width in zip(cells, widths, strict=True)]
            rest = (f" {gap:^{most}} {cell}" for gap, cell in zip(between, centred[1:], strict=True))
            return f"{INDENT}{centred[0]}{''.join(rest)}".rstrip()

        yield line([step.written for step in steps], apart)
        yield line([up if step.written not in {"", "..."} else "" for step in steps], apart)
        yield line(states, arrows)
        yield line([up if step.read not in {"", "..."} else "" for step in steps], apart)
        yield line([step.read for step in steps], apart)


def _columns(line: Points, left: float, right: float, width: int) -> Iterator[tuple[int, float]]:
    """Yield a column and a height for each column that a curve passes, straight between its points."""
    placed = [((x - left) / (right - left) * (width - 1), y) for x, y in line]
    if len(placed) == 1:
        yield round(placed[0][0]), placed[0][1]
    for (start, first), (stop, last) in pairwise(placed):
        for column in range(round(start), round(stop) + 1):
            share = min(max((column - start) / max(stop - start, 1e-9), 0.0), 1.0)
            yield column, first + share * (last - first)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _shows_unicode() -> bool:
    """Whether the encoding that the environment names, where it names one, can show more than ASCII."""
    named = next(filter(None, (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))), "utf-8")
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    return "utf" in named.lower() and encoding.startswith("utf")
