"""A number as the target of an example."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from seqrnn.catalog import FieldFile
from seqrnn.data.fields.field import Learning
from seqrnn.data.fields.vectors_field import Moments
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import Encoded
from seqrnn.errors import DataError, ModelError


class NumberField(Learning):
    """The target number of a record, with mean 0 and deviation 1 in training."""

    file_name: FieldFile | None = "numbers.json"
    closed = False
    counted: str | None = None

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
            self._moments.add(np.array([[_number_of(record)]]))

    def settle(self) -> None:
        """Learn the mean and the deviation."""
        moments, self._moments = self._moments, Moments(1)
        self.mean, self.deviation = float(moments.mean[0]), float(moments.deviation()[0])

    def encode(self, records: Sequence[Record]) -> list[Encoded]:
        """Return the normalised number of each record. Raises DataError where there is none."""
        numbers = ((_number_of(record) - self.mean) / self.deviation for record in records)
        return [Encoded(np.array([number], dtype=np.float32)) for number in numbers]

    def restore(self, numbers: np.ndarray) -> np.ndarray:
        """Turn normalised numbers (N,) back into those of the data, in double precision."""
        return numbers.astype(np.float64) * self.deviation + self.mean

    def to_json(self) -> str:
        """Return the content of numbers.json."""
        return json.dumps({"mean": self.mean, "deviation": self.deviation})

    def load_json(self, text: str) -> None:
        """Take over a numbers.json. Raises ModelError if it is malformed."""
        try:
            content = json.loads(text)
            mean, deviation = float(content["mean"]), float(content["deviation"])
        except (ValueError, RecursionError, KeyError, TypeError, OverflowError) as error:
            raise ModelError(f"numbers.json: malformed ({error!r}); copy it again") from error
        if not (math.isfinite(mean) and math.isfinite(deviation) and deviation > 0):
            raise ModelError("numbers.json: does not hold a mean and a deviation; copy it again")
        self.mean, self.deviation = mean, deviation


def _number_of(record: Record) -> float:
    if len(record.targets) != 1:
        raise DataError(f"{record.place}: {len(record.targets)} targets, expected 1 number; mend the row")
    try:
        number = float(record.targets[0])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DataError(f"{record.place}: {record.targets[0][:40]!r} is no finite number; mend the row")
    return number
