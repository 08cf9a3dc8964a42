"""`seqrnn evaluate`: how good a model is on data that have the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from seqrnn.catalog import BleuTokenizer
from seqrnn.cli.options import (
    BeamSizeOption,
    DeviceOption,
    EncodingOption,
    FormatOption,
    InputArgument,
    LengthPenaltyOption,
    MinProbabilityOption,
    ModelOption,
    OutputOption,
    QuietOption,
    ThreadsOption,
)
from seqrnn.cli.tables import pairs, table
from seqrnn.errors import refuse
from seqrnn.library.measuring import DataArguments, effort_of, find_source, measure

MAX_CONFUSIONS = 10


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
    encoding: EncodingOption = None,
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
    min_probability: MinProbabilityOption = None,
    bleu_tokenizer: Annotated[
        BleuTokenizer | None,
        typer.Option(
            help="How sacrebleu cuts texts for BLEU (as in training; auto: by the script of the references).",
            show_default=False,
        ),
    ] = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = 1,
    quiet: QuietOption = False,
) -> None:
    """Measure a model on a data file that has the answers; or, with --per-line, each line of a file.

    With --json a line may itself be a JSON object; its fields are handed through.
    """
    of_writers = {"--beam-size": beam_size, "--length-penalty": length_penalty}
    of_translators = {"--bleu-tokenizer": bleu_tokenizer}
    if per_line:
        of_answers = {
            "--src": src,
            "--tgt": tgt,
            "--label-col": label_col,
            "--encoding": encoding,
            **of_writers,
            **of_translators,
            "--min-probability": min_probability,
        }
        of_answers["--format"] = None if layout == "auto" else layout
        of_answers["--streams"] = None if streams == 1 else streams
        refuse(of_answers, "--per-line reads each line by itself; leave it out")
        from seqrnn.cli.line_scores import LineOutput, score_lines
        from seqrnn.cli.model import open_model
        from seqrnn.library.opened_model import Resources

        resources = Resources("auto", device, threads)
        score_lines(open_model(model, None, resources), data, LineOutput(output, as_json, text_col, quiet))
        return
    from seqrnn.answering.opened_run import open_run
    from seqrnn.backends.torch.backend import open_backend
    from seqrnn.backends.torch.device import set_threads
    from seqrnn.cli.stdio import OutputStream, say, say_waiting
    from seqrnn.metrics.bleu_tokenizer import check_bleu_tokenizer

    set_threads(threads)
    run = open_run(model)
    effort = effort_of(run.task, str(model), streams, (beam_size, length_penalty), min_probability)
    if "training.bleu_tokenizer" not in run.task.settings:
        refuse(of_translators, f"{model} was trained for {run.task.name}, which is not measured by BLEU")
    if bleu_tokenizer is not None:
        run.task.set_training("bleu_tokenizer", bleu_tokenizer)
    check_bleu_tokenizer(run.task.config.training.bleu_tokenizer)
    network = open_backend(run, device)
    say_waiting(data if src is None else src, "data with their answers", quiet)
    source = find_source(
        run.config, DataArguments((data,), (src, tgt), layout, text_col, label_col, encoding)
    )
    with OutputStream(output) as out:
        measured = measure(network, run.task, source, effort)
        if as_json:
            out.write_json([measured.as_json])
        else:
            out.write_text(_report(measured.figures, measured.details))
    if not quiet:
        say(*run.warnings, *measured.notes)


def _report(figures: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    """Write figures and tables for a person."""
    parts = [pairs(figures)]
    if classes := details.get("classes"):
        parts.append(table(classes))
    if signatures := details.get("signatures"):
        parts.append(f"How others can repeat these scores:\n{pairs(signatures)}")
    if confusions := details.get("confusions"):
        parts.append(
            f"Most frequent confusions, of {len(confusions):,}:\n{table(confusions[:MAX_CONFUSIONS])}"
        )
    return "\n".join(parts)
