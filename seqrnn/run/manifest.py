"""What a checkpoint says of itself: how far the training was, how good, and which bytes belong to it."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Meta, field

from seqrnn.catalog import FieldFile
from seqrnn.errors import ModelError
from seqrnn.run.calibration import Calibration
from seqrnn.run.files import Fingerprint, read_regular
from seqrnn.strict_json import Natural, Strict, conform, parse_object

FORMATS = (1, 2)  # that can be read; 2 may hold int8, and is written for nothing else
MANIFEST = "manifest.json"
MANIFEST_LIMIT = 2**20  # bytes

MODEL: Final = "model.safetensors"
TRAINING_TENSORS: Final = "training.safetensors"
TRAINING_STATE: Final = "training.json"
CONFIG: Final = "config.yaml"

# No name that a file brings is used as a path: a manifest names one of these, or is refused.
CheckpointFile = Literal["model.safetensors", "training.safetensors", "training.json"]
RootFile = Literal["config.yaml", FieldFile]
FileName = Literal[CheckpointFile, RootFile]
Numbers = Literal["float32", "int8"]
ROOT_FILES: tuple[RootFile, ...] = get_args(RootFile)


class Metric(Strict, frozen=True):
    """A number by which checkpoints are compared; None, as nan and infinity become, is the worst.

    Between equal ones the `loss` decides, where it is known.
    """

    name: str
    value: float | None
    better: Literal["higher", "lower"]
    loss: float | None = None

    def __post_init__(self) -> None:
        for name in ("value", "loss"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                msgspec.structs.force_setattr(self, name, None)

    @property
    def rank(self) -> tuple[float, float]:
        """Sorts the best first."""
        value = math.inf if self.value is None else -self.value if self.better == "higher" else self.value
        return value, math.inf if self.loss is None else self.loss


class Manifest(Strict, frozen=True, kw_only=True):
    """`manifest.json`, written last, so that a checkpoint that has one is complete."""

    format: Literal[1, 2] = 1
    weights: Numbers = "float32"  # how matrices are stored; a key of format 2
    seqrnn: str
    step: Natural
    epoch: Annotated[float, Meta(ge=0)]
    metric: Metric | None
    calibration: Calibration | None = None  # left out where none was fitted
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    files: dict[FileName, Fingerprint]

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read a manifest; raises `ModelError` where it is malformed or of another format."""
        value = parse_object(read_regular(path, MANIFEST_LIMIT), path)
        version = value.get("format")
        if version not in FORMATS:
            raise ModelError(
                f"{path}: format {version!r:.20}; this reads {FORMATS[0]}-{FORMATS[-1]}; upgrade seqrnn"
            )
        manifest = conform(value, cls, path)
        if ("weights" in value) != (manifest.format == 2):
            raise ModelError(f"{path}: 'weights' is a key of format 2, and of no other")
        if MODEL not in manifest.files:
            raise ModelError(f"{path}: does not list {MODEL}")
        return manifest

    def to_json(self) -> str:
        """Return the content of the file, without keys that say nothing."""
        content: dict[str, Any] = msgspec.to_builtins(self, enc_hook=float)  # of a number of NumPy
        if self.format == 1:
            del content["weights"]
        if self.calibration is None:
            del content["calibration"]
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    def fingerprint(self, name: FileName, path: Path) -> Fingerprint:
        """The fingerprint of the file `name`; raises `ModelError` where it is not of this checkpoint."""
        if name not in self.files:
            hint = "; start from its weights with `init_from`" if name == TRAINING_STATE else ""
            raise ModelError(f"{path}: has no {name}{hint}")
        return self.files[name]
