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
        "-m", "--model", envvar="SEQRNN_MODEL", help="Run directory of a trained model.", show_default=False
    ),
]
InputArgument = Annotated[
    str, typer.Argument(help="Input file; - or nothing: standard input.", show_default=False)
]
OutputOption = Annotated[
    str | None,
    typer.Option("-o", "--output", help="Output file (default: standard output).", show_default=False),
]
ConfigOption = Annotated[
    list[str] | None,
    typer.Option("-c", "--config", help="YAML file with settings; may be repeated, later ones win."),
]
AssignmentsOption = Annotated[
    list[str] | None, typer.Option("--set", help="A setting, as section.key=value; may be repeated.")
]
JsonLinesOption = Annotated[bool, typer.Option("--jsonl", help="Answer in JSON, one object a line.")]
DeviceOption = Annotated[str, typer.Option("--device", help="Device: auto, cpu or cuda:N.")]
BackendOption = Annotated[
    Literal["auto", "numpy", "torch"],
    typer.Option("--backend", help="Backend. auto: NumPy; PyTorch for images, and if --device names a GPU."),
]
ThreadsOption = Annotated[
    int,
    typer.Option(
        "--threads",
        min=1,
        max=MAX_THREADS,
        callback=limit_threads,
        help="CPU threads.",
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
        help="CPU threads, which answer parts of the rows in parallel.",
    ),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Exit with 3, at the end, if any row could not be answered.")
]
TextFieldOption = Annotated[
    str | None,
    typer.Option(help="Column or field of the text (default: as in training).", show_default=False),
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Answer part I of N contiguous parts of the rows, such as 2/4; "
        "the outputs of all parts, one after the other, are that of one process.",
        show_default=False,
    ),
]
PrefixOption = Annotated[
    str,
    typer.Option(
        help="Prefix of the names of the output columns or fields, such as `a_`.", show_default=False
    ),
]
BeamSizeOption = Annotated[
    int | None,
    typer.Option(help="Beam width (default 5); 1 is greedy search.", show_default=False),
]
LengthPenaltyOption = Annotated[
    float | None,
    typer.Option(
        help="Length penalty of beam search: score / ((5 + length) / 6) ^ penalty (default 0).",
        show_default=False,
    ),
]
MinProbabilityOption = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=1.0,
        help="Minimum probability; answers below it are left empty (default 0).",
        show_default=False,
    ),
]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Show only errors.")]
SourceSideOption = Annotated[
    str | None, typer.Option("--src", help="Source side of parallel files.", show_default=False)
]
TargetSideOption = Annotated[
    str | None, typer.Option("--tgt", help="Target side of parallel files.", show_default=False)
]
TextColumnOption = Annotated[
    str | None,
    typer.Option(help="Column or field of the text (default: as in training).", show_default=False),
]
LabelColumnOption = Annotated[
    str | None,
    typer.Option(help="Column or field of the label (default: as in training).", show_default=False),
]
FormatOption = Annotated[
    FileFormat,
    typer.Option("--format", help="File format."),
]
EncodingOption = Annotated[
    str | None,
    typer.Option(help="Text encoding, such as cp1252 (default: as in training).", show_default=False),
]
