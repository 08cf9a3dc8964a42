"""A run as an ONNX file: put together, checked, and only then written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import seqrnn
from seqrnn.answering.opened_run import OpenedRun
from seqrnn.backends.numpy.backend import can_run, open_with_parameters
from seqrnn.backends.onnx.check import check, check_writing
from seqrnn.backends.onnx.network import Network, Trained
from seqrnn.backends.onnx.onnx_file import to_bytes
from seqrnn.backends.onnx.seq2seq import DecoderNetwork
from seqrnn.catalog import GRAPHS, NETWORKS, load
from seqrnn.data.fields.field import vocabulary_files
from seqrnn.errors import UsageError
from seqrnn.run.files import check_replaceable, replace_file


@dataclass(frozen=True)
class Written:
    """An ONNX file: its path and bytes, and how far onnxruntime is from seqrnn on it."""

    path: Path
    bytes: int
    largest_difference: float


def export_onnx(run: OpenedRun, path: Path) -> list[Written]:
    """Write the network of a run to the file `path`, if onnxruntime computes the same from it.

    What writes sequences has two files, for `m.onnx` they are `m.encoder.onnx` and `m.decoder.onnx`.
    Raises UsageError where the model cannot be exported or a package is missing, ModelError where the
    weights are damaged, NumericError where onnxruntime computes something else, and OutputError.
    """
    networks = _networks(run)
    paths = [path.with_stem(f"{path.stem}.{network.name}") if network.name else path for network in networks]
    for target in paths:
        check_replaceable(target)
    graphs = [network.graph() for network in networks]
    contents = [
        to_bytes(graph, network.about, _metadata(run))
        for network, graph in zip(networks, graphs, strict=True)
    ]
    parts = list(zip(networks, graphs, contents, strict=True))
    differences = [check(network, graph.outputs, content) for network, graph, content in parts]
    encoder, decoder = networks[0], networks[-1]
    if isinstance(decoder, DecoderNetwork):
        differences[-1] = max(differences[-1], check_writing(encoder, decoder, contents))
    for target, content in zip(paths, contents, strict=True):
        replace_file(target, content)
    return list(map(Written, paths, map(len, contents), differences))


def _networks(run: OpenedRun) -> list[Network[Any, Any, Any]]:
    if not can_run(run):
        raise UsageError("`onnx`: models of images cannot be exported; all others can")
    twin, parameters = open_with_parameters(run)
    trained = Trained(run.config.model, run.task, parameters, twin)
    return [load(name)(trained) for name in GRAPHS[load(NETWORKS[run.task.model]).learns]]


def _metadata(run: OpenedRun) -> dict[str, str]:
    """Return what makes a file of use by itself: what each field has learned, under its file's name."""
    files = {str(name): text for name, text in vocabulary_files(run.task.fields).items()}
    return {"task": run.task.name, "seqrnn": seqrnn.__version__, "step": str(run.checkpoint.step), **files}
