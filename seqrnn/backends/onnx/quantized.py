"""A model directory whose matrices are of int8: see `run/quantized.py` for how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqrnn.answering.opened_run import OpenedRun
from seqrnn.backends.onnx.parameters import read_parameters
from seqrnn.errors import UsageError
from seqrnn.run.checkpoint import Checkpoint, Snapshot
from seqrnn.run.directory import RunDirectory
from seqrnn.run.lock import RunLock
from seqrnn.run.manifest import MODEL, ROOT_FILES
from seqrnn.run.tensors import Tensors


@dataclass(frozen=True)
class QuantizationReport:
    """What storing a model in int8 has done: bytes of the weights, and the largest error of one of them."""

    bytes_before: int
    bytes_after: int
    largest_error: float


def export_quantized(source: OpenedRun, target: Path) -> QuantizationReport:
    """Write the best checkpoint of the run `source`, in int8, to the new directory `target`.

    Raises ModelError where `source` is damaged, UsageError where it is int8 already or `target` is not
    free, and OutputError, with nothing left behind.
    """
    best = source.checkpoint
    run = RunDirectory.open(best.path.parent)
    if best.manifest.weights == "int8":
        raise UsageError(f"{run.path}: is int8 already; give the run that training made")
    check_free(target)
    files = {name: run.read_text(name) for name in ROOT_FILES if name in best.manifest.files}
    tensors = read_parameters(source)
    copy = RunDirectory.create(target, files)
    with RunLock(target):
        try:
            saved = copy.save(_snapshot(best, tensors))
        except BaseException:
            copy.abandon()
            raise
    return _compare(best, saved, tensors)


def check_free(target: Path) -> None:
    """Raise UsageError unless `target` is missing or an empty directory."""
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise UsageError(f"{target}: is there already; name a new directory")


def _snapshot(best: Checkpoint, tensors: Tensors) -> Snapshot:
    """Return what is saved of a checkpoint. Its figure stays behind: it is that of other weights."""
    manifest = best.manifest
    return Snapshot(
        step=best.step,
        epoch=manifest.epoch,
        tensors=tensors,
        calibration=manifest.calibration,
        weights="int8",
    )


def _compare(before: Checkpoint, after: Checkpoint, tensors: Tensors) -> QuantizationReport:
    restored = after.tensors({name: (tensor.dtype.name, tensor.shape) for name, tensor in tensors.items()})
    return QuantizationReport(
        before.manifest.files[MODEL].bytes,
        after.manifest.files[MODEL].bytes,
        max(float(np.abs(restored[name] - tensor).max(initial=0.0)) for name, tensor in tensors.items()),
    )
