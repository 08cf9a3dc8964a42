"""`seqrnn report`: a page that shows what a run has learnt, and what it makes of data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seqrnn.cli.options import (
    DeviceOption,
    EncodingOption,
    FormatOption,
    OutputOption,
    QuietOption,
    ThreadsOption,
)
from seqrnn.errors import UsageError


def report(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN [DATA]",
            help="Run directory that training made, and data that have the answers.",
            show_default=False,
        ),
    ],
    output: OutputOption = None,
    src: Annotated[
        str | None, typer.Option("--src", help="Source side of parallel files.", show_default=False)
    ] = None,
    tgt: Annotated[
        str | None, typer.Option("--tgt", help="Target side of parallel files.", show_default=False)
    ] = None,
    layout: FormatOption = "auto",
    text_col: Annotated[
        str | None, typer.Option(help="Column or field of the text (as in training).", show_default=False)
    ] = None,
    label_col: Annotated[
        str | None, typer.Option(help="Column or field of the label (as in training).", show_default=False)
    ] = None,
    encoding: EncodingOption = None,
    examples: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Rows that are looked at one by one, spread over the data (20,000; of a model that writes "
            "1,000); the figures are of all rows.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the numbers of the page as one JSON object.")
    ] = False,
    device: DeviceOption = "auto",
    threads: ThreadsOption = 1,
    quiet: QuietOption = False,
) -> None:
    """Write a page that shows what a run has learnt, and what it answers to data that have the answers.

    The page is one file of HTML, which loads nothing and runs no script. Without DATA it is of the run's own
    test data, of those that it was validated on, or of the part that it held out, if they are still there.
    """
    from seqrnn.reporting.drawing.environment import environment

    if not as_json:
        environment()  # what is missing is told before anything costs time
    from seqrnn.backends.torch.device import set_threads
    from seqrnn.cli.stdio import OutputStream, say
    from seqrnn.library.measuring import DataArguments
    from seqrnn.reporting.gathering import Wanted, gather
    from seqrnn.reporting.page import page_numbers, write_page

    run, data = _parts(paths)
    given = None
    if data is not None or src is not None or tgt is not None:
        given = DataArguments((data or "-",), (src, tgt), layout, text_col, label_col, encoding)
    set_threads(threads)
    subject, notes = gather(run, Wanted(given, examples, device, threads))
    with OutputStream(output) as out:
        if not as_json and out.is_terminal:
            raise UsageError("a page of HTML is no text for a terminal; name a file with -o, or add --json")
        if as_json:
            out.write_json([page_numbers(subject)])
        else:
            out.write_text(write_page(subject))
    if not quiet:
        say(*notes)


def _parts(paths: list[str]) -> tuple[Path, str | None]:
    """Return the run and the data that are named. Raises UsageError for more."""
    if len(paths) > 2:
        raise UsageError(f"{paths[2]}: a report is on one run and one file of data; leave it out")
    return Path(paths[0]), paths[1] if len(paths) == 2 else None
