"""`seqrnn generate`: text from a language model, as it comes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from seqrnn.cli.options import (
    DeviceOption,
    JsonLinesOption,
    ModelOption,
    OutputOption,
    QuietOption,
    ThreadsOption,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqrnn.engine.predictor import Continuer
    from seqrnn.search.generation import Limits
    from seqrnn.search.sampling import Sampling


def generate(
    model: ModelOption,
    output: OutputOption = None,
    prompt: Annotated[str, typer.Option("--prompt", help="Text to go on from.")] = "",
    max_len: Annotated[int, typer.Option(help="Most tokens to write; <eos> may end earlier.")] = 400,
    fixed_len: Annotated[
        int | None, typer.Option(help="Write exactly that many tokens.", show_default=False)
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample/--greedy", help="Draw each token, or take the likeliest.")
    ] = True,
    temperature: Annotated[float, typer.Option(help="Below 1 bolder, above 1 wilder; 0 is greedy.")] = 1.0,
    top_k: Annotated[int, typer.Option(help="Draw from the k likeliest tokens; 0 from all.")] = 0,
    top_p: Annotated[
        float, typer.Option(help="Draw from the likeliest tokens that together have this probability.")
    ] = 1.0,
    repetition_penalty: Annotated[
        float, typer.Option(help="Above 1: what was written becomes less likely.")
    ] = 1.0,
    no_repeat_ngram: Annotated[
        int, typer.Option(help="Never write the same run of that many tokens twice; 0: may.")
    ] = 0,
    samples: Annotated[int, typer.Option("--samples", min=1, help="Texts to write.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed writes the same text.")] = 1,
    stream: Annotated[bool, typer.Option("--stream/--no-stream", help="Write tokens as they come.")] = True,
    jsonl: JsonLinesOption = False,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Write text, from a prompt or from nothing.

    The prompt is written before its continuation; with --jsonl they are fields of their own.
    """
    from seqrnn.cli.rows import without_surrogates
    from seqrnn.cli.stdio import Output, say
    from seqrnn.engine.device import set_threads
    from seqrnn.engine.predictor import Continuer, open_model
    from seqrnn.search.generation import Limits
    from seqrnn.search.sampling import Sampling

    limits = Limits(max_len, fixed_len)
    heat = temperature if sample else 0.0
    sampling = Sampling(heat, top_k, top_p, repetition_penalty, no_repeat_ngram, seed)
    set_threads(threads)
    opened = open_model(model, device, "generate")
    prompt = without_surrogates(prompt)  # what Python makes of bytes that are not UTF-8
    text = Text(Continuer(opened), prompt, limits)
    if not quiet:
        say(*opened.warnings, *text.warnings)
    with Output(output) as out:
        for number in range(samples):
            draw = replace(sampling, seed=seed + number)
            if jsonl:
                out.write_json([{"id": number, "prompt": prompt, **text.write(draw, _nowhere)}])
            elif stream:
                out.write_text(prompt)
                text.write(draw, out.write_text)
                out.write_text("\n")
            else:
                out.write_lines([prompt + str(text.write(draw, _nowhere)["prediction"])])


def _nowhere(piece: str) -> None:
    """Drop a piece of text that is needed only as a whole."""


class Text:
    """Writes continuations of one prompt."""

    def __init__(self, continuer: Continuer, prompt: str, limits: Limits) -> None:
        encoded = continuer.tokenizer.encode(prompt)
        self._continuer = continuer
        self._limits = limits
        self._prompt = encoded.ids
        self.unknown = encoded.unknown
        self.warnings = []
        if encoded.unknown:
            self.warnings.append(
                f"tokens of the prompt that the model does not know, and reads as <unk>: {encoded.unknown:,}"
            )

    def write(self, sampling: Sampling, sink: Callable[[str], None]) -> dict[str, object]:
        """Write one continuation, each piece to `sink` as it comes; return it with what is known of it."""
        from seqrnn.data.tokenizer import EOS
        from seqrnn.search.generation import generate as continue_tokens

        decoder = self._continuer.tokenizer.decoder()
        pieces, score, ended = [], 0.0, False
        start = self._continuer.start(self._prompt)
        for chosen in continue_tokens(self._continuer.step, start, self._limits, sampling):
            token = int(chosen.tokens[0])
            score += float(chosen.log_probs[0])
            ended = token == EOS
            pieces.append(decoder.feed(token))
            sink(pieces[-1])
        pieces.append(decoder.finish())
        sink(pieces[-1])
        return {
            "prediction": "".join(pieces),
            "score": score,
            "truncated": not ended,
            "unknown": self.unknown,
            "error": None,
        }
