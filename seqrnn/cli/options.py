"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from seqrnn.catalog import FORMATS
from seqrnn.cli.process import limit_threads

if TYPE_CHECKING:
    FileFormat: TypeAlias = str
else:  # a type checker cannot know the names of a catalogue
    FileFormat = Literal[("auto", *(name for name in FORMATS if name != "parallel"))]

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
THREADS = min(2, CORES)
"""Threads for rows, where none are asked for: a machine is seldom ours alone."""
MAX_THREADS = 1024


ModelOption = Annotated[
    Path,
    typer.Option(
        "-m", "--model", envvar="SEQRNN_MODEL", help="Run directory that training made.", show_default=False
    ),
]
InputArgument = Annotated[
    str, typer.Argument(help="File to read; - or nothing is standard input.", show_default=False)
]
OutputOption = Annotated[
    str | None,
    typer.Option("-o", "--output", help="File to write instead of standard output.", show_default=False),
]
ConfigOption = Annotated[
    list[str] | None,
    typer.Option("-c", "--config", help="YAML file with settings; may be repeated, later wins."),
]
AssignmentsOption = Annotated[
    list[str] | None, typer.Option("--set", help="A setting, as section.key=value; may be repeated.")
]
JsonLinesOption = Annotated[bool, typer.Option("--jsonl", help="Answer in JSON, one object a line.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu or cuda:N.")]
BackendOption = Annotated[
    Literal["auto", "numpy", "torch"],
    typer.Option(
        "--backend", help="What computes; auto: NumPy; PyTorch for images, and where --device names a GPU."
    ),
]
ThreadsOption = Annotated[
    int,
    typer.Option(
        "--threads",
        min=1,
        max=MAX_THREADS,
        callback=limit_threads,
        help="CPU threads; the other cores are left to the neighbours.",
    ),
]
RowThreadsOption = Annotated[
    int,
    typer.Option(
        "--threads",
        min=1,
        max=MAX_THREADS,
        callback=limit_threads,
        show_default="one a core, at most 2",
        help="Parts of the rows that are answered side by side; one text has them in each product.",
    ),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Exit with 3, at the end, if any row could not be answered.")
]
TextFieldOption = Annotated[
    str | None,
    typer.Option(help="Column or field that holds the text (as in training).", show_default=False),
]
PrefixOption = Annotated[
    str,
    typer.Option(
        help="What the names of the answers' columns or fields begin with, such as `a_`.", show_default=False
    ),
]
BeamSizeOption = Annotated[
    int | None,
    typer.Option(help="Beginnings that are followed side by side (5); 1 is greedy.", show_default=False),
]
LengthPenaltyOption = Annotated[
    float | None,
    typer.Option(
        help="Above 0: long sequences suffer less from their length, score / ((5 + len) / 6) ^ penalty (0).",
        show_default=False,
    ),
]
MinProbabilityOption = Annotated[
    float | None,
    typer.Option(
        min=0.0, max=1.0, help="Lowest probability of an answer that is given (0).", show_default=False
    ),
]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")]
FormatOption = Annotated[
    FileFormat,
    typer.Option("--format", help="How the file is laid out."),
]
EncodingOption = Annotated[
    str | None,
    typer.Option(help="How bytes become characters, such as cp1252 (as in training).", show_default=False),
]
