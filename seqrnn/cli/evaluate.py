"""`seqrnn evaluate`: how good a model is on data that have the answers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqrnn.cli.line_scores import LineOutput, score_lines
from seqrnn.cli.model import Model, Resources
from seqrnn.cli.options import (
    BEAM_SIZE,
    BeamSizeOption,
    DeviceOption,
    FormatOption,
    InputArgument,
    LengthPenaltyOption,
    ModelOption,
    OutputOption,
    QuietOption,
    ThreadsOption,
    refuse,
)
from seqrnn.cli.tables import pairs, table
from seqrnn.errors import UsageError

if TYPE_CHECKING:
    from seqrnn.config import DataConfig
    from seqrnn.data.source import Source

MOST_CONFUSIONS = 10


def evaluate(
    model: ModelOption,
    data: InputArgument = "-",
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object with the figures.")] = False,
    per_line: Annotated[
        bool,
        typer.Option(
            "--per-line", help="Write the surprisal of each line, nats a token, before it (language models)."
        ),
    ] = False,
    streams: Annotated[
        int, typer.Option(min=1, help="Parts of a text that are read side by side: faster, a little worse.")
    ] = 1,
    beam_size: BeamSizeOption = None,
    length_penalty: LengthPenaltyOption = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = 1,
    quiet: QuietOption = False,
) -> None:
    """Measure a model on a data file that has the answers; or, with --per-line, each line of a file.

    With --json a line may itself be a JSON object; its fields are handed through.
    """
    of_writers = {"--beam-size": beam_size, "--length-penalty": length_penalty}
    if per_line:
        of_answers = {"--src": src, "--tgt": tgt, "--label-col": label_col, **of_writers}
        of_answers["--format"] = None if layout == "auto" else layout
        of_answers["--streams"] = None if streams == 1 else streams
        refuse(of_answers, "--per-line reads each line by itself; leave it out")
        resources = Resources("auto", device, threads)
        score_lines(Model(model, None, resources), data, LineOutput(output, as_json, text_col, quiet))
        return
    from seqrnn.answering.opened_run import open_run
    from seqrnn.cli.stdio import Output, say
    from seqrnn.data.columns import Dataset
    from seqrnn.data.prepare import encode_part
    from seqrnn.data.sniff import guess
    from seqrnn.engine.backend import open_backend
    from seqrnn.engine.device import set_threads
    from seqrnn.engine.evaluation import Effort
    from seqrnn.engine.evaluation import evaluate as measure
    from seqrnn.search.beam import Beam
    from seqrnn.tasks.task import WritingTask

    beam = Beam(BEAM_SIZE if beam_size is None else beam_size, length_penalty or 0.0)
    set_threads(threads)
    run = open_run(model)
    if not isinstance(run.task, WritingTask):
        refuse(of_writers, f"{model} was trained for {run.task.name}, which searches nothing; leave it out")
    network = open_backend(run, device).model
    columns = {"text_column": text_col, "label_column": label_col}
    given = {name: value for name, value in columns.items() if value is not None}
    source = _source(run.config.data.model_copy(update=given), data, (src, tgt), layout)
    if source.format == "auto":
        source = replace(source, format=guess(source, run.config.task).format)
    with Output(output) as out, tempfile.TemporaryDirectory(prefix="seqrnn-") as directory:
        part = encode_part(source, run.task.fields, Path(directory), "truncate")
        dataset = Dataset.open(Path(directory), [field.name for field in run.task.fields])
        figures, details = measure(network, run.task, dataset, Effort(streams, beam=beam))
        if as_json:
            out.write_json([figures])
        else:
            out.write_text(_report(figures, details))
    if not quiet:
        cut = [f"examples longer than max_tokens, and cut: {part.truncated:,}"] * bool(part.truncated)
        say(*run.warnings, *cut)


def _source(data: DataConfig, path: str, sides: tuple[str | None, str | None], layout: str) -> Source:
    """Say where the data are, and how they are laid out: as in training, unless the file tells otherwise."""
    from seqrnn.data.source import Source, spool

    source, target = sides
    if source is not None or target is not None:
        if path != "-" or layout != "auto":
            raise UsageError("--src and --tgt stand alone; leave out the data file and --format")
        return Source.training(
            data.model_copy(update={"train": (), "source": source, "target": target, "format": "parallel"})
        )
    as_trained = data.format if data.format in {"text", "lines"} else "auto"
    chosen = as_trained if layout == "auto" else layout
    update: dict[str, Any] = {"train": (path,), "source": None, "target": None, "format": chosen}
    return spool(Source.training(data.model_copy(update=update)))


def _report(figures: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    """Write figures and tables for a person."""
    parts = [pairs(figures)]
    if classes := details.get("classes"):
        parts.append(table(classes))
    if signatures := details.get("signatures"):
        parts.append(f"How others can repeat these scores:\n{pairs(signatures)}")
    if confusions := details.get("confusions"):
        parts.append(
            f"Most frequent confusions, of {len(confusions):,}:\n{table(confusions[:MOST_CONFUSIONS])}"
        )
    return "\n".join(parts)
