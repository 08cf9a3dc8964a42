"""`seqrnn explain`: why a model says what it says of a row."""

from __future__ import annotations

from typing import Annotated

import typer

from seqrnn.catalog import SaliencyMethod
from seqrnn.cli.shared_options import (
    EncodingOption,
    FormatOption,
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
    layout: FormatOption = "auto",
    text_col: TextFieldOption = None,
    encoding: EncodingOption = None,
    strict: StrictOption = False,
    threads: ThreadsOption = 1,
    quiet: QuietOption = False,
) -> None:
    """Show why a model answers each row of a file, or each line of a text or of standard input, as it does.

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
    from seqrnn.cli.answer_input import Input, answer_input
    from seqrnn.cli.drawing import Paper
    from seqrnn.cli.explanation import drawn
    from seqrnn.cli.model import open_model
    from seqrnn.cli.stdio import say, say_waiting
    from seqrnn.data.answer import Answer
    from seqrnn.library.opened_model import Resources
    from seqrnn.library.row_answerers import row_explainer

    set_threads(threads)
    network = open_model(model, None, Resources("torch", "cpu", threads))
    assert isinstance(network.backend, TorchBackend)
    answerer = row_explainer(network.run, network.backend, method)
    paper = Paper.of_stdout()

    def write(answer: Answer, text: str) -> str:  # noqa: ARG001
        return drawn(answer, paper)

    say_waiting(data, "rows, one a line,", quiet)
    given = Input(data, output, jsonl, layout, text_col, encoding, explains=True)
    tally = answer_input(network, given, answerer, write)
    if not quiet:
        say(*network.run.warnings, *tally.lines())
    if strict:
        tally.require_answers()
