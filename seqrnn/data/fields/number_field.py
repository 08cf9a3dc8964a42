"""A number as the target of an example."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from seqrnn.catalog import FieldFile
from seqrnn.data.fields.fitting import FittedField
from seqrnn.data.fields.steps import require_size
from seqrnn.data.fields.vectors_field import Moments
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import Encoded
from seqrnn.errors import DataError
from seqrnn.strict_json import Positive, Strict, read_as


class _Scale(Strict, frozen=True):
    """The content of numbers.json."""

    mean: float
    deviation: Positive


LARGEST_TARGET = 1e100  # squares of such numbers, and sums of these, are finite


class NumberField(FittedField):
    """The target number of a record, with mean 0 and deviation 1 in training."""

    file_name: FieldFile | None = "numbers.json"
    requires_known_values = False
    unit: str | None = None

    def __init__(self, name: str) -> None:
        self.name = name
        self.mean, self.deviation = 0.0, 1.0
        self._moments = Moments(1)

    @property
    def description(self) -> str:
        """There is only one kind."""
        return f"{self.name} number"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Single precision."""
        return np.dtype(np.float32)

    def observe(self, records: Sequence[Record]) -> None:
        """Look at the numbers of some records. Raises DataError for a record without one."""
        for record in records:
            self._moments.add(np.array([[number_of(record)]]))

    def settle(self) -> None:
        """Learn the mean and the deviation."""
        moments, self._moments = self._moments, Moments(1)
        self.mean, self.deviation = float(moments.mean[0]), float(moments.deviation()[0])

    def encode(self, records: Sequence[Record]) -> list[Encoded]:
        """Return the normalised number of each record. Raises DataError where there is none."""
        return [self._encode(record) for record in records]

    def _encode(self, record: Record) -> Encoded:
        number = np.array([(number_of(record) - self.mean) / self.deviation])
        require_size(record, number)
        return Encoded(number.astype(np.float32))

    def restore(self, numbers: np.ndarray) -> np.ndarray:
        """Turn normalised numbers (N,) back into those of the data, in double precision, or infinity."""
        with np.errstate(over="ignore"):
            return numbers.astype(np.float64) * self.deviation + self.mean

    def to_json(self) -> str:
        """Return the content of numbers.json."""
        return json.dumps({"mean": self.mean, "deviation": self.deviation})

    def load_json(self, text: str) -> None:
        """Take over a numbers.json. Raises ModelError if it is malformed."""
        content = read_as(_Scale, text, "numbers.json")
        self.mean, self.deviation = content.mean, content.deviation


def number_of(record: Record) -> float:
    """Return the target number of a record. Raises DataError, with its location, for anything else."""
    if len(record.targets) != 1:
        raise DataError(f"{record.location}: {len(record.targets)} targets, expected 1 number; fix the row")
    try:
        number = float(record.targets[0])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DataError(f"{record.location}: {record.targets[0][:40]!r} is no finite number; fix the row")
    if abs(number) > LARGEST_TARGET:
        what = f"the target {record.targets[0][:40]} is too large to compute with"
        raise DataError(f"{record.location}: {what}; fix the row, or scale the targets")
    return number
