"""`seqrnn explain`: why a model says what it says of a row."""

from __future__ import annotations

from typing import Annotated

import typer

from seqrnn.catalog import SaliencyMethod
from seqrnn.cli.shared_options import (
    InputArgument,
    JsonLinesOption,
    ModelOption,
    OutputOption,
    QuietOption,
    StrictOption,
    TextFieldOption,
    ThreadsOption,
)


def explain(
    model: ModelOption,
    data: InputArgument = "-",
    output: OutputOption = None,
    method: Annotated[
        SaliencyMethod | None,
        typer.Option(
            help="What a token matters: the gradient of the score times the token's vector (texts), or how "
            "much the score falls without the token (numbers, images).",
            show_default=False,
        ),
    ] = None,
    jsonl: JsonLinesOption = False,
    text_col: TextFieldOption = None,
    strict: StrictOption = False,
    threads: ThreadsOption = 1,
    quiet: QuietOption = False,
) -> None:
    """Show why a model answers each line as it does.

    Bars say how much each token speaks for the answer (`-`: against it), and how much of it was looked at
    where the network attends. A tagger tells the runner-up of each tag, a language model the likeliest next
    tokens and how surprising each token was, an encoder-decoder which tokens each written one comes from.
    Of images, squares say where in the image the network looked.
    With --jsonl all of it is lines of JSON, and a line may itself be a JSON object.
    """
    from seqrnn.library.installed import require_training

    require_training("seqrnn explain")
    from seqrnn.backends.torch.backend import TorchBackend
    from seqrnn.backends.torch.device import set_threads
    from seqrnn.cli.drawing import Paper
    from seqrnn.cli.explanation import drawn
    from seqrnn.cli.line_scores import require_rows
    from seqrnn.cli.model import open_model
    from seqrnn.cli.rows import RowFormat, answer_rows, name_of
    from seqrnn.cli.stdio import OutputStream, say, say_waiting
    from seqrnn.data.answer import Answer, AnswerStyle
    from seqrnn.data.formats.numbers import Features
    from seqrnn.library.opened_model import Resources
    from seqrnn.library.row_answerers import row_explainer

    set_threads(threads)
    network = open_model(model, None, Resources("torch", "cpu", threads))
    assert isinstance(network.backend, TorchBackend)
    answerer = row_explainer(network.run, network.backend, method)
    require_rows(data)
    config, paper = network.run.config, Paper.of_stdout()

    def write(answer: Answer, text: str) -> str:  # noqa: ARG001
        return drawn(answer, paper)

    field = text_col or name_of(config.data.text_column)
    task, kind = network.run.task, config.data.source_kind
    style, features = AnswerStyle(explains=True), Features.of(config.data)
    layout = RowFormat(jsonl, field, kind, task.plain_fields, write, style=style, features=features)
    say_waiting(data, "rows, one a line,", quiet)
    with OutputStream(output) as out:
        tally = answer_rows(data, out, layout, answerer, network.side_by_side)
    if not quiet:
        say(*network.run.warnings, *tally.lines())
    if strict:
        tally.require_answers()
