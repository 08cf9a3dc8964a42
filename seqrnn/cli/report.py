"""`seqrnn report`: a page that shows what a run has learnt, and what it makes of data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqrnn.cli.shared_options import (
    DeviceOption,
    EncodingOption,
    FormatOption,
    LabelColumnOption,
    OutputOption,
    QuietOption,
    SourceSideOption,
    TargetSideOption,
    TextColumnOption,
    ThreadsOption,
)
from seqrnn.errors import UsageError

if TYPE_CHECKING:
    from seqrnn.reporting.subject import Subject


def report(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN... [DATA]",
            help="Run directories that training made, and data that have the answers.",
            show_default=False,
        ),
    ],
    output: OutputOption = None,
    src: SourceSideOption = None,
    tgt: TargetSideOption = None,
    layout: FormatOption = "auto",
    text_col: TextColumnOption = None,
    label_col: LabelColumnOption = None,
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

    Several runs of one task are compared on the same rows, with a paired test of each difference.

    The page is one file of HTML, which loads nothing and runs no script. Without DATA it is of the rows
    that the run was validated on, if their file is still what it was.
    """
    from seqrnn.library.installed import require_training
    from seqrnn.reporting.drawing.environment import environment

    require_training("seqrnn report")
    if not as_json:
        environment()  # what is missing is told before anything costs time
    from seqrnn.backends.torch.device import set_threads
    from seqrnn.cli.console import TrainingConsole
    from seqrnn.cli.stdio import OutputStream, say
    from seqrnn.library.measuring import DataArguments
    from seqrnn.reporting.comparison_page import check_comparable, compare_page
    from seqrnn.reporting.gathering import Wanted, gather
    from seqrnn.reporting.page import write_page

    runs, data = _runs_and_data(paths)
    given = None
    if data is not None or src is not None or tgt is not None:
        given = DataArguments((data or "-",), (src, tgt), layout, text_col, label_col, encoding)
    set_threads(threads)
    console = TrainingConsole(quiet)
    with console.preparing("opening the run") as draw:
        gathered = [gather(run, Wanted(given, examples, device, threads), draw) for run in runs]
    subjects = [subject for subject, _ in gathered]
    if len(subjects) > 1:
        check_comparable(subjects)
    with console.preparing("looking at single rows"):
        numbers = _numbers(subjects) if as_json else {}
        page = "" if as_json else write_page(subjects[0]) if len(subjects) == 1 else compare_page(subjects)
    with OutputStream(output) as out:  # opened when all is there: what fails leaves an older page as it is
        if not as_json and out.is_terminal:
            raise UsageError("a page of HTML is no text for a terminal; name a file with -o, or add --json")
        if as_json:
            out.write_json([numbers])
        else:
            out.write_text(page)
    if not quiet:
        say(*dict.fromkeys(note for _, notes in gathered for note in notes))


def _numbers(subjects: Sequence[Subject]) -> dict[str, Any]:
    from seqrnn.reporting.comparison_page import compared_numbers
    from seqrnn.reporting.page import page_numbers

    if len(subjects) == 1:
        return page_numbers(subjects[0])
    return {"runs": [page_numbers(subject) for subject in subjects], **compared_numbers(subjects)}


def _runs_and_data(paths: list[str]) -> tuple[list[Path], str | None]:
    """Return the runs that are named, and the data after them. Raises UsageError for anything else."""
    from seqrnn.reporting.comparison_page import MOST_RUNS
    from seqrnn.run.location import holds_run

    others = [path for path in paths[1:] if not holds_run(Path(path))]
    if others and paths[-1] != others[0]:
        raise UsageError(f"{others[0]}: name the runs first, then one file of data")
    runs = paths[:-1] if others else paths
    if len(runs) > MOST_RUNS:
        raise UsageError(f"{len(runs)} runs are too many for a page; compare {MOST_RUNS} at most")
    return [Path(run) for run in runs], others[0] if others else None
