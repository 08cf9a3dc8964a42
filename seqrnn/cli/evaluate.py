"""`seqrnn evaluate`: how good a model is on data that have the answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from seqrnn.catalog import BleuTokenizer
from seqrnn.cli.shared_options import (
    BeamSizeOption,
    DeviceOption,
    EncodingOption,
    FormatOption,
    InputArgument,
    LabelColumnOption,
    LengthPenaltyOption,
    MinProbabilityOption,
    ModelOption,
    OutputOption,
    QuietOption,
    SourceSideOption,
    TargetSideOption,
    TextColumnOption,
    ThreadsOption,
)
from seqrnn.cli.tables import pairs, table
from seqrnn.errors import refuse
from seqrnn.library.measuring import (
    DataArguments,
    evaluation_options,
    find_source,
    measure,
    set_bleu_tokenizer,
)

if TYPE_CHECKING:
    from seqrnn.metrics.evaluation import Evaluation

MAX_CONFUSIONS = 10


def evaluate(
    model: ModelOption,
    data: InputArgument = "-",
    output: OutputOption = None,
    src: SourceSideOption = None,
    tgt: TargetSideOption = None,
    layout: FormatOption = "auto",
    text_col: TextColumnOption = None,
    label_col: LabelColumnOption = None,
    encoding: EncodingOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object with the figures.")] = False,
    per_line: Annotated[
        bool,
        typer.Option(
            "--per-line",
            help="Write the surprisal of each line, in nats per token, before it (language models).",
        ),
    ] = False,
    streams: Annotated[
        int,
        typer.Option(min=1, help="Read a text in this many parallel parts: faster, slightly less accurate."),
    ] = 1,
    dynamic: Annotated[
        bool,
        typer.Option(
            "--dynamic",
            help="Let the model go on learning from the text, each segment once it has been measured "
            "(dynamic evaluation; models of a long text). The run stays as it is.",
        ),
    ] = False,
    beam_size: BeamSizeOption = None,
    length_penalty: LengthPenaltyOption = None,
    min_probability: MinProbabilityOption = None,
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard",
            metavar="I/N",
            help="Compute part I of N, such as 2/4, into a file for --merge; with --per-line, "
            "that part of the lines.",
            show_default=False,
        ),
    ] = None,
    merge: Annotated[
        list[str] | None,
        typer.Option(
            help="Make the figures from the files of all parts; a pattern in quotes, or repeat the option.",
            show_default=False,
        ),
    ] = None,
    bleu_tokenizer: Annotated[
        BleuTokenizer | None,
        typer.Option(
            help="Tokenizer of sacrebleu for BLEU (default: as in training; auto: by script).",
            show_default=False,
        ),
    ] = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = 1,
    quiet: QuietOption = False,
) -> None:
    """Measure a model on a data file that has the answers; or, with --per-line, each line of a file.

    With --json a line may itself be a JSON object; its fields are handed through. Several processes measure
    together: each with --shard, then one with --merge on the same data makes the figures of one process.
    """
    from seqrnn.cli.shard import Shard

    part = Shard.parse(shard)
    if per_line:
        of_answers = {
            "--src": src,
            "--tgt": tgt,
            "--label-col": label_col,
            "--encoding": encoding,
            "--beam-size": beam_size,
            "--length-penalty": length_penalty,
            "--bleu-tokenizer": bleu_tokenizer,
            "--min-probability": min_probability,
        }
        of_answers["--format"] = None if layout == "auto" else layout
        of_answers["--streams"] = None if streams == 1 else streams
        of_answers["--dynamic"] = dynamic or None
        of_answers["--merge"] = merge[0] if merge else None
        refuse(of_answers, "--per-line reads each line by itself; leave it out")
        from seqrnn.cli.line_scores import LineOutput, score_lines
        from seqrnn.cli.model import open_model
        from seqrnn.library.opened_model import Resources

        resources = Resources("auto", device, threads)
        score_lines(
            open_model(model, None, resources), data, LineOutput(output, as_json, text_col, quiet, part)
        )
        return
    from seqrnn.library.installed import require_training

    require_training("`evaluate()`")
    from seqrnn.answering.opened_run import open_run
    from seqrnn.backends.torch.backend import open_backend
    from seqrnn.backends.torch.device import set_threads
    from seqrnn.cli.evaluation_parts import Parts
    from seqrnn.cli.stdio import OutputStream, say, say_waiting

    set_threads(threads)
    run = open_run(model)
    beam = beam_size, length_penalty
    options = evaluation_options(
        run.task, str(model), streams, beam, min_probability=min_probability, dynamic=dynamic
    )
    set_bleu_tokenizer(run.task, str(model), bleu_tokenizer)
    network = open_backend(run, device)
    say_waiting(data if src is None else src, "data with their answers", quiet)
    source = find_source(
        run.config, DataArguments((data,), (src, tgt), layout, text_col, label_col, encoding)
    )
    asked = Parts(run, network, source, options)
    if part is not None:
        refuse(
            {"--merge": merge, "--json": as_json or None},
            "--shard writes a part of the answers; leave it out",
        )
        asked.write(part, output)
        return
    with OutputStream(output) as out:
        measured = asked.merge(merge) if merge else measure(network, run.task, source, options)
        if as_json:
            out.write_json([measured.as_json])
        else:
            out.write_text(_report(measured))
    if not quiet:
        say(*run.warnings, *measured.notes)


def _report(measured: Evaluation) -> str:
    """Write figures and tables for a person."""
    parts = [pairs(measured.figures)]
    if measured.classes:
        parts.append(table([asdict(row) for row in measured.classes]))
    if measured.signatures:
        parts.append(f"How others can repeat these scores:\n{pairs(measured.signatures)}")
    if measured.confusions:
        most = [asdict(pair) for pair in measured.confusions[:MAX_CONFUSIONS]]
        parts.append(f"Most frequent confusions, of {len(measured.confusions):,}:\n{table(most)}")
    return "\n".join(parts)
