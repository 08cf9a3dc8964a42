"""What a checkpoint says of itself: how far the training was, how good, and which bytes belong to it."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeInt,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from seqrnn.catalog import FieldFile
from seqrnn.errors import ModelError
from seqrnn.run.calibration import Calibration
from seqrnn.run.files import Fingerprint, read_regular
from seqrnn.strict_json import conform, parse_object

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


class Metric(BaseModel):
    """A number by which checkpoints are compared; None, as nan and infinity become, is the worst.

    Between equal ones the `loss` decides, where it is known.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    name: str
    value: float | None
    better: Literal["higher", "lower"]
    loss: float | None = None

    @field_validator("value", "loss")
    @classmethod
    def _only_finite(cls, value: float | None) -> float | None:
        return value if value is not None and math.isfinite(value) else None

    @property
    def rank(self) -> tuple[float, float]:
        """Sorts the best first."""
        value = math.inf if self.value is None else -self.value if self.better == "higher" else self.value
        return value, math.inf if self.loss is None else self.loss


class Manifest(BaseModel):
    """`manifest.json`, written last, so that a checkpoint that has one is complete."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    format: Literal[1, 2] = 1
    weights: Numbers = "float32"  # how matrices are stored; a key of format 2
    seqrnn: str
    step: NonNegativeInt
    epoch: Annotated[FiniteFloat, Field(ge=0)]
    metric: Metric | None
    calibration: Calibration | None = None  # left out where none was fitted
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
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

    @model_serializer(mode="wrap")
    def _without_keys_that_say_nothing(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = serialize(self)
        if self.format == 1:
            del content["weights"]
        if self.calibration is None:
            del content["calibration"]
        return content

    def fingerprint(self, name: FileName, path: Path) -> Fingerprint:
        """The fingerprint of the file `name`; raises `ModelError` where it is not of this checkpoint."""
        if name not in self.files:
            hint = "; start from its weights with `init_from`" if name == TRAINING_STATE else ""
            raise ModelError(f"{path}: has no {name}{hint}")
        return self.files[name]
