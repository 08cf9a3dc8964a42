"""A run as an ONNX file: put together, checked, and only then written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import seqrnn
from seqrnn.answering.opened_run import OpenedRun
from seqrnn.backends.numpy.backend import can_run, open_with_parameters
from seqrnn.backends.onnx.check import check
from seqrnn.backends.onnx.network import Network, Trained
from seqrnn.backends.onnx.onnx_file import to_bytes
from seqrnn.catalog import GRAPHS, NETWORKS, load
from seqrnn.data.fields.field import learned
from seqrnn.errors import UsageError
from seqrnn.run.files import replace_file


@dataclass(frozen=True)
class Written:
    """An ONNX file: its bytes, and how far onnxruntime is from seqrnn on it."""

    bytes: int
    largest_difference: float


def export_onnx(run: OpenedRun, path: Path) -> Written:
    """Write the network of a run to the file `path`, if onnxruntime computes the same from it.

    Raises UsageError where the model cannot be exported or a package is missing, ModelError where the
    weights are damaged, NumericError where onnxruntime computes something else, and OutputError.
    """
    network = _network(run)
    graph = network.graph()
    content = to_bytes(graph, network.about, _metadata(run))
    difference = check(network, graph.outputs, content)
    replace_file(path, content)
    return Written(len(content), difference)


def _network(run: OpenedRun) -> Network:
    learns = load(NETWORKS[run.task.model]).learns
    if learns not in GRAPHS or not can_run(run):
        what = run.task.name if learns not in GRAPHS else "images"
        raise UsageError(f"`onnx`: models for {what} cannot be exported; all others can")
    twin, parameters = open_with_parameters(run)
    network: Network = load(GRAPHS[learns])(Trained(run.config.model, run.task, parameters, twin))
    return network


def _metadata(run: OpenedRun) -> dict[str, str]:
    """Return what makes a file of use by itself: what each field has learned, under its file's name."""
    files = {str(name): text for name, text in learned(run.task.fields).items()}
    return {"task": run.task.name, "seqrnn": seqrnn.__version__, "step": str(run.checkpoint.step), **files}
