"""`seqrnn classify`: an answer to each row, in order, and a file in its own form."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from seqrnn.cli.shared_options import (
    THREADS,
    BackendOption,
    DeviceOption,
    EncodingOption,
    FormatOption,
    InputArgument,
    JsonLinesOption,
    MinProbabilityOption,
    ModelOption,
    OutputOption,
    PrefixOption,
    QuietOption,
    RowThreadsOption,
    ShardOption,
    StrictOption,
    TextFieldOption,
)


def classify(
    model: ModelOption,
    data: InputArgument = "-",
    output: OutputOption = None,
    k: Annotated[
        int | None,
        typer.Option(
            "-k", min=1, help="Number of labels to give (default 1; all likely ones if multi-label)."
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, help="Minimum probability of a label (default 0; 0.5 if multi-label)."
        ),
    ] = None,
    probs: Annotated[
        bool,
        typer.Option(
            "--probs",
            help="Write label, tab, probability; to files, the probabilities of all classes.",
        ),
    ] = False,
    min_probability: MinProbabilityOption = None,
    jsonl: JsonLinesOption = False,
    layout: FormatOption = "auto",
    text_col: TextFieldOption = None,
    encoding: EncodingOption = None,
    prefix: PrefixOption = "",
    shard: ShardOption = None,
    strict: StrictOption = False,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
    threads: RowThreadsOption = THREADS,
    quiet: QuietOption = False,
) -> None:
    """Label each row of a file, each file in a folder, or each line of a text or of standard input.

    A file in a format that training reads (by its name, --format, or its content) comes back in its own
    form with `prediction` and `probability`, a folder as TSV. With --jsonl all answers are lines of JSON,
    and a line may itself be a JSON object; its fields are handed through, its id too.

    Probabilities are calibrated on the validation data. With --min-probability an answer that is less likely
    has an empty prediction and, in JSON, `"abstained": true`.
    """
    from seqrnn.cli.answer_input import Input, answer_input
    from seqrnn.cli.model import open_model
    from seqrnn.cli.shard import Shard
    from seqrnn.cli.stdio import say, say_waiting
    from seqrnn.library.opened_model import Resources
    from seqrnn.library.row_answerers import row_predictor
    from seqrnn.tasks.task import PredictionTask

    part = Shard.parse(shard)
    network = open_model(model, "classify", Resources(backend, device, threads))
    task = PredictionTask.of(network.run.task)
    answerer = row_predictor(network, k, threshold, probs, min_probability)
    abstains = min_probability is not None
    given = Input(data, output, jsonl, layout, text_col, encoding, prefix, probs, {"-k": k}, abstains, part)
    say_waiting(data, "rows, one a line,", quiet)
    tally = answer_input(network, given, answerer, partial(task.write, probs=probs))
    if not quiet:
        say(*network.run.warnings, *tally.lines())
    if strict:
        tally.require_answers()
