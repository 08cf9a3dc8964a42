"""`seqrnn export`: a model for other programs, or in a quarter of the bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from seqrnn.cli.shared_options import FormatOption, ModelOption, QuietOption, ThreadsOption
from seqrnn.cli.tables import table
from seqrnn.errors import UsageError
from seqrnn.library.decoding import BEAM_SIZE
from seqrnn.library.figures import head, shown
from seqrnn.library.measuring import DataArguments, find_source, measure
from seqrnn.run.files import check_replaceable

if TYPE_CHECKING:
    from seqrnn.answering.opened_run import OpenedRun
    from seqrnn.data.source import Source


def export(
    model: ModelOption,
    onnx: Annotated[
        Path | None,
        typer.Option(help="ONNX file to write (needs the extra onnx).", metavar="FILE", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Model directory to write (--quantize).", show_default=False),
    ] = None,
    quantize: Annotated[
        Literal["int8"] | None,
        typer.Option(help="Store matrices in a quarter of the bytes, a scale a row.", show_default=False),
    ] = None,
    check: Annotated[
        str | None,
        typer.Option(
            help="Data to measure the model on, before and after (--quantize).",
            metavar="DATA",
            show_default=False,
        ),
    ] = None,
    src: Annotated[
        str | None,
        typer.Option("--src", help="Source side of parallel files to check on.", show_default=False),
    ] = None,
    tgt: Annotated[
        str | None,
        typer.Option("--tgt", help="Target side of parallel files to check on.", show_default=False),
    ] = None,
    layout: FormatOption = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with what was done.")
    ] = False,
    threads: ThreadsOption = 1,
    quiet: QuietOption = False,
) -> None:
    """Write a trained model in another form: for ONNX runtimes, or in a quarter of the bytes.

    --onnx FILE: for all models but those of images. Batches are padded, and the
    input lengths says how much of each row counts. A tagger gives scores and
    tags, which a CRF has decoded; a language model reads tokens from a given
    state and returns the state after them. A model that writes sequences has two
    files, for m.onnx these are m.encoder.onnx and, for one step, m.decoder.onnx.
    Tokenizer and labels are in the metadata. The file is written if onnxruntime
    computes from it what seqrnn computes, to 1e-4.

    -o DIR --quantize int8: a model directory for the other commands.
    """
    from seqrnn.cli.stdio import OutputStream, say

    parallel = src is not None or tgt is not None
    given = DataArguments((check or "-",), (src, tgt), layout) if parallel or check is not None else None
    _check_flags(onnx, output, quantize, given)
    if given is None and layout != "auto":
        raise UsageError("--format: is for --check; leave it out")
    with OutputStream() as out:
        if onnx is not None:
            facts, lines = _write_onnx(model, onnx)
        else:
            assert output is not None
            facts, lines = _write_quantized(model, output, given, threads)
        if as_json:
            out.write_json([facts])
        elif given is not None:
            out.write_text(_comparison(facts["before"], facts["after"]))
    if not quiet:
        say(*lines)


def _check_flags(
    onnx: Path | None, output: Path | None, quantize: str | None, given: DataArguments | None
) -> None:
    """Raise UsageError unless the flags ask for one thing, in full."""
    if (onnx is None) == (output is None):
        raise UsageError("give --onnx FILE, or -o DIR with --quantize int8")
    if onnx is not None and (quantize is not None or given is not None):
        raise UsageError("--quantize and --check go with -o; --onnx checks its file by itself")
    if onnx is not None:
        check_replaceable(onnx)
    if output is not None and quantize is None:
        raise UsageError("-o: in which form? give --quantize int8, or --onnx FILE instead")


def _write_onnx(model: Path, path: Path) -> tuple[dict[str, Any], list[str]]:
    from seqrnn.answering.opened_run import open_run
    from seqrnn.backends.onnx.exporter import export_onnx

    run = open_run(model)
    files = export_onnx(run, path)
    facts = {
        "onnx": str(path),
        "files": [str(file.path) for file in files],
        "bytes": sum(file.bytes for file in files),
        "largest_difference": max(file.largest_difference for file in files),
    }
    return facts, [
        *run.warnings,
        *(
            f"{file.path}: {file.bytes:,} bytes; onnxruntime computes the same from it, the largest "
            f"difference is {file.largest_difference:.1e}"
            for file in files
        ),
    ]


def _write_quantized(
    model: Path, output: Path, given: DataArguments | None, threads: int
) -> tuple[dict[str, Any], list[str]]:
    from seqrnn.answering.opened_run import open_run
    from seqrnn.backends.onnx.quantized import check_free, export_quantized

    run = open_run(model)
    check_free(output)  # before anything costs time
    figures, source = {}, None
    if given is not None:
        source = find_source(run.config, given)
        figures["before"] = _figures(run, source, threads)
    done = export_quantized(run, output)
    if source is not None:
        figures["after"] = _figures(open_run(output), source, threads)
    facts = {"output": str(output), "bytes_before": done.bytes_before, "bytes": done.bytes_after}
    return {**facts, "largest_error": done.largest_error, **figures}, [
        *run.warnings,
        f"{output}: weights of {done.bytes_after:,} bytes, {done.bytes_before / done.bytes_after:.2f} times "
        f"fewer than {done.bytes_before:,}; the largest error of a weight is {done.largest_error:.1e}",
    ]


def _figures(run: OpenedRun, source: Source, threads: int) -> dict[str, Any]:
    """Measure a model on the CPU as `seqrnn evaluate` does."""
    from seqrnn.backends.torch.backend import open_backend
    from seqrnn.backends.torch.device import set_threads
    from seqrnn.search.beam import Beam
    from seqrnn.training.evaluation import EvaluationOptions

    set_threads(threads)
    return dict(
        measure(open_backend(run, "cpu"), run.task, source, EvaluationOptions(beam=Beam(BEAM_SIZE))).figures
    )


def _comparison(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Write what was measured, one figure a line."""
    numbers = [name for name in before if not isinstance(before[name], str)]
    return table(
        [
            {"figure": head(name), "float32": shown(name, before[name]), "int8": shown(name, after[name])}
            for name in numbers
        ]
    )
