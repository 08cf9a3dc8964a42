"""`seqrnn generate`: text, from a prompt or from each row of the input."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqrnn.cli.continuation import write_all
from seqrnn.cli.shared_options import (
    THREADS,
    BackendOption,
    BeamSizeOption,
    DeviceOption,
    EncodingOption,
    FormatOption,
    JsonLinesOption,
    LengthPenaltyOption,
    ModelOption,
    OutputOption,
    PrefixOption,
    QuietOption,
    RowThreadsOption,
    ShardOption,
    StrictOption,
    TextFieldOption,
)
from seqrnn.errors import UsageError, refuse
from seqrnn.library.decoding import TEMPERATURE, DecodingOptions

if TYPE_CHECKING:
    from seqrnn.answering.continuation import Continuation
    from seqrnn.cli.rows import RowTally
    from seqrnn.data.answer import Answer
    from seqrnn.library.opened_model import OpenedModel
    from seqrnn.search.generation import Limits

ONE_CELL = str.maketrans("\t\n", "  ")


def generate(
    model: ModelOption,
    data: Annotated[
        str | None,
        typer.Argument(
            help="File with one input per line; - or nothing: standard input. Not for language models.",
            show_default=False,
        ),
    ] = None,
    output: OutputOption = None,
    prompt: Annotated[
        str | None,
        typer.Option(
            "--prompt",
            help="Prompt to continue; - reads it from standard input (language models).",
            show_default=False,
        ),
    ] = None,
    max_len: Annotated[
        int | None,
        typer.Option(help="Maximum number of tokens to generate (default 400).", show_default=False),
    ] = None,
    fixed_len: Annotated[
        int | None, typer.Option(help="Generate exactly this many tokens.", show_default=False)
    ] = None,
    beam_size: BeamSizeOption = None,
    n_best: Annotated[
        int | None,
        typer.Option(help="Number of outputs per input, separated by tabs (default 1).", show_default=False),
    ] = None,
    length_penalty: LengthPenaltyOption = None,
    sample: Annotated[
        bool | None,
        typer.Option(
            "--sample/--greedy",
            help="Sample each token, or take the likeliest (default: sample; beam search for rows).",
            show_default=False,
        ),
    ] = None,
    temperature: Annotated[float, typer.Option(help="Sampling temperature; 0 is greedy.")] = TEMPERATURE,
    top_k: Annotated[int, typer.Option(help="Sample from the k likeliest tokens; 0: from all.")] = 0,
    top_p: Annotated[
        float, typer.Option(help="Nucleus sampling: from the likeliest tokens with this total probability.")
    ] = 1.0,
    repetition_penalty: Annotated[
        float, typer.Option(help="Above 1: tokens already generated become less likely.")
    ] = 1.0,
    no_repeat_ngram: Annotated[
        int, typer.Option(help="Never repeat an n-gram of this many tokens; 0: off.")
    ] = 0,
    samples: Annotated[
        int | None,
        typer.Option("--samples", min=1, help="Number of texts per prompt (default 1).", show_default=False),
    ] = None,
    state_in: Annotated[
        Path | None,
        typer.Option(
            help="Continue from a state saved by --state-out; sampling starts anew.", show_default=False
        ),
    ] = None,
    state_out: Annotated[
        Path | None,
        typer.Option(help="File (.npz) to save the final state in, for --state-in.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed of sampling.")] = 1,
    stream: Annotated[
        bool, typer.Option("--stream/--no-stream", help="Write tokens as they are generated.")
    ] = True,
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
    """Write text, from a prompt, from nothing or from each line of the input.

    A language model writes the prompt before its continuation; with --jsonl they are fields of their
    own. Other models answer each line by one line, and a file in a format that training reads in its own
    form; with --jsonl all answers are lines of JSON, and a line may itself be a JSON object.
    """
    from seqrnn.cli.answer_input import Input, answer_input
    from seqrnn.cli.model import open_model
    from seqrnn.cli.shard import Shard
    from seqrnn.cli.stdio import OutputStream, input_is_left, say, say_waiting
    from seqrnn.library.opened_model import Resources
    from seqrnn.library.row_answerers import row_generator
    from seqrnn.run.files import check_replaceable

    options = DecodingOptions(
        max_len=max_len,
        fixed_len=fixed_len,
        beam_size=beam_size,
        n_best=n_best,
        length_penalty=length_penalty,
        sample=sample,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        repetition_penalty=repetition_penalty,
        no_repeat_ngram=no_repeat_ngram,
        seed=seed,
    )
    part = Shard.parse(shard)
    limits, sampling = options.limits(), options.sampling()
    network = open_model(model, "generate", Resources(backend, device, threads))
    tally: RowTally | None = None
    if network.run.task.searches:
        of_texts = {"--prompt": prompt, "--state-in": state_in, "--state-out": state_out}
        refuse({**of_texts, "--samples": samples}, "this model answers rows; see --n-best")
        answerer = row_generator(network, options)
        say_waiting(data, "rows, one a line,", quiet)
        several = {"--n-best": n_best}
        given = Input(
            data or "-", output, jsonl, layout, text_col, encoding, prefix, False, several, shard=part
        )
        tally = answer_input(network, given, answerer, _line)
        notes = tally.lines("max_tokens, or their answers than --max-len")
    else:
        of_rows = {
            **options.of_beams,
            "--n-best": n_best,
            "--text-col": text_col,
            "--encoding": encoding,
            "--prefix": prefix or None,
            "--format": None if layout == "auto" else layout,
            "--shard": shard,
            "--strict": strict or None,
        }
        of_rows[str(data)] = data
        refuse(of_rows, "a language model continues a --prompt and reads no rows")
        if state_out is not None and samples not in {None, 1}:
            raise UsageError(f"--state-out saves the state of one text; remove --samples {samples}")
        if state_out is not None:
            check_replaceable(state_out)
        say_waiting(prompt or "", "a prompt", quiet)
        text = _text(network, prompt or "", limits, state_in)
        with OutputStream(output) as out:
            write_all(text, sampling, samples or 1, out, jsonl, stream)
        if state_out is not None:
            text.save(state_out)
        unread = "standard input was not read; --prompt - continues it"
        notes = iter([*text.warnings, *([unread] if prompt is None and input_is_left() else [])])
    if not quiet:
        say(*network.run.warnings, *notes)
    if strict and tally is not None:
        tally.require_answers()


def _line(answer: Answer, text: str) -> str:  # noqa: ARG001
    """Write all that was found for a row, the best first, on one line, whatever is in them."""
    return "\t".join(prediction.translate(ONE_CELL) for prediction, _ in answer.nbest)


def _text(model: OpenedModel, prompt: str, limits: Limits, state: Path | None) -> Continuation:
    """Return what continues a prompt, or a prompt after the state that the file `state` holds."""
    from seqrnn.answering.continuation import Continuation
    from seqrnn.answering.text_generator import TextGenerator
    from seqrnn.cli.model import widen
    from seqrnn.data.lines import read_lines
    from seqrnn.library.rows import without_surrogates

    widen(model)
    if prompt == "-":
        prompt = "\n".join(line.text for line in read_lines(None, "replace"))
    # Surrogates are what Python makes of bytes that are not UTF-8.
    return Continuation(TextGenerator(model.run, model.backend), without_surrogates(prompt), limits, state)
