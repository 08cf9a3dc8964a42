"""One saved state of a training: written in full before it has its name, verified before it is used."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

import seqrnn
from seqrnn.errors import ModelError
from seqrnn.run.calibration import UNCALIBRATED, Calibration
from seqrnn.run.files import (
    SIZE_LIMIT,
    Fingerprint,
    check_fingerprint,
    check_size,
    open_regular,
    read_regular,
    size_of,
    sync_directory,
    write_synced,
)
from seqrnn.run.manifest import (
    MANIFEST,
    MODEL,
    TRAINING_STATE,
    TRAINING_TENSORS,
    FileName,
    Manifest,
    Metric,
    Numbers,
)
from seqrnn.run.quantized import dequantize, quantize, stored_kinds
from seqrnn.run.tensors import Expected, Judge, Tensors, check_tensors, read_tensors, write_tensors
from seqrnn.strict_json import parse_object

# A checkpoint that another of the same step replaces is called .old until that one has its name.
DIRECTORY_NAME = re.compile(r"gen-(\d{8,18})(\.old)?")
STRAY_NAME = re.compile(r"gen-\d{8,18}(\.old)?\.tmp")
CHECKPOINT_FILES = (MODEL, TRAINING_TENSORS, TRAINING_STATE, MANIFEST)
TENSORS_SUFFIX = ".safetensors"


class Snapshot(Struct, frozen=True, kw_only=True):
    """What a training hands over to be saved.

    `tensors` are the weights. Going on from here exactly takes `training_tensors` (moments of the
    optimizer, ...) and `training_state` (whatever JSON holds: counters, settings, ...); both are
    left out where the training is over. `epoch` counts passes over the data, in fractions. With
    `weights` int8 the tensors are stored in a quarter of the bytes, and not as exactly.
    """

    step: int
    tensors: Tensors
    epoch: float = 0.0
    metric: Metric | None = None
    calibration: Calibration | None = None
    training_tensors: Tensors | None = None
    training_state: Mapping[str, Any] | None = None
    weights: Numbers = "float32"

    @property
    def bytes_needed(self) -> int:
        """About as many bytes as saving takes on the disk."""
        weights = sum(array.nbytes for array in self.tensors.values())
        beside = sum(array.nbytes for array in (self.training_tensors or {}).values())
        return (weights // 4 if self.weights == "int8" else weights) + beside + 2**16


class Checkpoint(Struct, frozen=True):
    """A directory `gen-N` with a manifest; each file is held against its hash when it is read."""

    path: Path
    manifest: Manifest

    @classmethod
    def read(cls, path: Path) -> Checkpoint:
        """Read the manifest in `path`; raises `ModelError`."""
        manifest = Manifest.read(path / MANIFEST)
        name = DIRECTORY_NAME.fullmatch(path.name)
        if name and int(name[1]) != manifest.step:
            raise ModelError(
                f"{path / MANIFEST}: says step {manifest.step}; it belongs to another checkpoint"
            )
        return cls(path, manifest)

    @property
    def step(self) -> int:
        """Updates made before it was saved."""
        return self.manifest.step

    @property
    def metric(self) -> Metric | None:
        """How good it was, where that was measured."""
        return self.manifest.metric

    @property
    def calibration(self) -> Calibration:
        """What makes the probabilities of its answers trustworthy; nothing where that was not fitted."""
        return self.manifest.calibration or UNCALIBRATED

    def tensors(self, expected: Expected | None) -> dict[str, np.ndarray[Any, Any]]:
        """The weights, exactly as named, typed and shaped in `expected`; raises `ModelError`."""
        path, written = self.path / MODEL, self.manifest.fingerprint(MODEL, self.path)
        tensors = read_tensors(path, self._stored(expected), written)
        return tensors if self.manifest.weights == "float32" else dequantize(tensors, path)

    def check(self, expected: Expected) -> None:
        """Raise `ModelError` unless the header of the weights is that of `expected`; reads no more."""
        check_tensors(self.path / MODEL, self._stored(expected))

    def _stored(self, expected: Expected | None) -> Expected | None:
        """How tensors of `expected` kinds are stored."""
        return expected if expected is None or self.manifest.weights == "float32" else stored_kinds(expected)

    def training_tensors(self, expected: Expected | Judge | None) -> dict[str, np.ndarray[Any, Any]]:
        """The tensors that resuming a training needs; raises `ModelError`, also where none were saved."""
        written = self.manifest.fingerprint(TRAINING_TENSORS, self.path)
        return read_tensors(self.path / TRAINING_TENSORS, expected, written)

    def training_state(self) -> dict[str, Any]:
        """The counters and hashes that resuming a training needs; raises `ModelError` likewise."""
        path, written = self.path / TRAINING_STATE, self.manifest.fingerprint(TRAINING_STATE, self.path)
        content = read_regular(path)
        check_fingerprint(content, written, path)
        return parse_object(content, path)

    def verify(self, names: Iterable[FileName]) -> None:
        """Raise `ModelError` unless those of the files `names` that it lists are as they were written."""
        for name in names:
            if name in self.manifest.files:
                _verify(self.path / name, self.manifest.files[name])

    def rank(self) -> tuple[bool, tuple[float, float], int]:
        """Sorts the best first, of equals the earlier; those without a metric last, of them the newest."""
        if self.metric is None or self.metric.value is None:
            return True, (0.0, 0.0), -self.step
        return False, self.metric.rank, self.step


def write_checkpoint(path: Path, snapshot: Snapshot, root_files: Mapping[FileName, Fingerprint]) -> None:
    """Fill the directory `path`, the manifest last, and wait until the disk has it all.

    Raises `OSError`, and `NumericError` where a tensor holds nan or infinity.
    """
    files = dict(root_files)
    shrunk = snapshot.weights == "int8"
    stored = quantize(snapshot.tensors) if shrunk else snapshot.tensors
    files[MODEL] = write_tensors(path / MODEL, stored)
    if snapshot.training_tensors is not None:
        files[TRAINING_TENSORS] = write_tensors(path / TRAINING_TENSORS, snapshot.training_tensors)
    if snapshot.training_state is not None:
        text = json.dumps(snapshot.training_state, allow_nan=False)
        files[TRAINING_STATE] = write_synced(path / TRAINING_STATE, text.encode())
    manifest = Manifest(
        format=2 if shrunk else 1,
        weights=snapshot.weights,
        calibration=snapshot.calibration,
        seqrnn=seqrnn.__version__,
        step=snapshot.step,
        epoch=snapshot.epoch,
        metric=snapshot.metric,
        files=files,
    )
    write_synced(path / MANIFEST, manifest.to_json().encode())
    sync_directory(path)


def put_in_place(temporary: Path, target: Path) -> None:
    """Give a complete checkpoint its name; at every instant one of that step can be found."""
    old = target.with_name(f"{target.name}.old")
    if target.exists():
        discard(old)
        target.rename(old)
    temporary.rename(target)
    sync_directory(target.parent)
    discard(old)


def discard(path: Path) -> None:
    """Remove a checkpoint, if it is there: first its name, so that no half of it can be found."""
    stray = path.with_name(f"{path.name}.tmp")
    remove_files(stray)
    with suppress(FileNotFoundError):
        path.rename(stray)
    remove_files(stray)


def remove_files(path: Path) -> None:
    """Remove a checkpoint's directory, of which only our own files: with others in it, it stays."""
    if path.is_symlink():
        path.unlink()
    if not path.is_dir():
        return
    for name in CHECKPOINT_FILES:
        with suppress(IsADirectoryError):  # not our file: it stays as well
            (path / name).unlink(missing_ok=True)
    if not os.listdir(path):
        path.rmdir()


def _verify(path: Path, written: Fingerprint) -> None:
    """Hash a file without holding it in memory; raises `ModelError` where it is not as written."""
    with open_regular(path) as file:
        check_size(size_of(file), written, path)
        if path.suffix == TENSORS_SUFFIX:
            check_tensors(path, None)  # a file with a gap is refused before its gigabytes are hashed
        elif written.bytes > SIZE_LIMIT:
            raise ModelError(f"{path}: {written.bytes} bytes, more than the {SIZE_LIMIT} allowed")
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != written.sha256:
        raise ModelError(f"{path}: its sha256 is not the one in the manifest; it is damaged")
