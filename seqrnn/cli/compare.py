"""`seqrnn compare`: runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from seqrnn.cli.shared_options import OutputOption


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run directories.")],
    output: OutputOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each run, with the settings that differ.")
    ] = False,
) -> None:
    """Show runs side by side, the best of each task first: figures on validation data, size and time.

    Figures compare only where the validation data are the same. The settings in which the runs differ follow.
    """
    from seqrnn.cli.drawing import Paper
    from seqrnn.cli.stdio import OutputStream
    from seqrnn.library.compared_runs import compare as compared
    from seqrnn.library.compared_runs import differing

    found = compared(runs)
    settings = differing(found)
    with OutputStream(output) as out:
        if as_json:
            out.write_json(
                {**run.as_json, "settings": {key: values[number] for key, values in settings.items()}}
                for number, run in enumerate(found)
            )
        else:
            rows = [run.as_json for run in found]
            out.write_text("\n".join(_report(rows, settings, Paper.of_stdout().width)) + "\n")


def _report(
    rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Sequence[Any]], width: int
) -> list[str]:
    """Lay out a column a run while they fit, one below another where they do not."""
    from seqrnn.library.figures import clock, head, shown

    names = list(dict.fromkeys(name for row in rows for name in row))
    shown_as = {"run": str, "seconds": clock}
    lines = [
        [
            head(name).replace("seconds", "time"),
            *(_cell(name, row.get(name), shown, shown_as) for row in rows),
        ]
        for name in names
    ]
    lines += [[key, *map(str, values)] for key, values in settings.items()]
    return _columns(lines, width)


def _cell(name: str, value: Any, shown: Any, shown_as: Mapping[str, Any]) -> str:
    if value is None:
        return "-"
    return str(shown_as[name](value)) if name in shown_as else str(shown(name, value))


def _columns(lines: Sequence[Sequence[str]], width: int) -> list[str]:
    """Write cells in columns, some runs at a time where not all fit beside one another."""
    from rich.cells import cell_len, set_cell_size

    from seqrnn.data.lines import in_one_cell, printable

    cells = [[printable(in_one_cell(cell)) for cell in line] for line in lines]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    written, first = [], 1
    while first < len(widths):
        last, room = first + 1, width - widths[0] - 2 - widths[first]
        while last < len(widths) and widths[last] + 2 <= room:
            room -= widths[last] + 2
            last += 1
        for line in cells:
            picked = zip([line[0], *line[first:last]], [widths[0], *widths[first:last]], strict=True)
            written.append("  ".join(set_cell_size(cell, size) for cell, size in picked).rstrip())
        first = last
        if first < len(widths):
            written.append("")
    return written
