"""Numbers as a sequence: a vector for each time step, each feature brought to one scale."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from seqrnn.catalog import FieldFile
from seqrnn.data.dataset.columns import Column
from seqrnn.data.fields.field import Learning
from seqrnn.data.fields.steps import matrix_of
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import Encoded
from seqrnn.errors import DataError, ModelError


class VectorsField(Learning):
    """The vectors of a record, (T, F); with `normalize` each feature has mean 0 and deviation 1 in training.

    Without `sequential` a record is one vector.
    """

    file_name: FieldFile | None = "features.json"
    closed = False
    counted: str | None = "step"

    def __init__(self, name: str, normalize: bool, max_steps: int | None, sequential: bool = True) -> None:
        self.name = name
        self.sequential = sequential
        self._normalize = normalize
        self._max_steps = max_steps
        self.mean = np.empty(0)  # (F,)
        self.deviation = np.empty(0)  # (F,)
        self._moments: Moments | None = None

    @property
    def description(self) -> str:
        """The limit, and whether features are normalised."""
        return f"{self.name} vectors {self._max_steps} {self._normalize} {self.sequential}"

    @property
    def dtype(self) -> np.dtype[Any]:
        """One vector in single precision."""
        return np.dtype((np.float32, (len(self.mean),)))

    def observe(self, records: Sequence[Record]) -> None:
        """Look at some records. Raises DataError for one that holds no vectors of the first one's size."""
        for record in records:
            matrix = self._matrix(record, len(self._moments.mean) if self._moments else None)
            self._moments = self._moments or Moments(matrix.shape[1])
            self._moments.add(matrix)

    def settle(self) -> None:
        """Learn the mean and the deviation of each feature over all steps."""
        moments, self._moments = self._moments, None
        if moments is None or not len(moments.mean):
            raise DataError("the training data hold no vectors; give numbers in each row")
        self.mean, self.deviation = moments.mean, moments.deviation()
        if not self._normalize:
            self.mean, self.deviation = np.zeros_like(self.mean), np.ones_like(self.mean)

    def check(self, record: Record) -> None:
        """Raise DataError, with its place, for a record without vectors of the right size."""
        self._matrix(record, len(self.mean))

    def encode(self, records: Sequence[Record]) -> list[Encoded]:
        """Return the normalised vectors of each record. Raises DataError as `check` does."""
        return [self._encode(self._matrix(record, len(self.mean))) for record in records]

    def _encode(self, matrix: np.ndarray) -> Encoded:
        kept = matrix[: self._max_steps]
        normalised = ((kept - self.mean) / self.deviation).astype(np.float32)
        return Encoded(normalised, truncated=len(kept) < len(matrix))

    def _matrix(self, record: Record, features: int | None) -> np.ndarray:
        matrix = matrix_of(record, features)
        if len(matrix) != 1 and not self.sequential:
            what = f"{len(matrix)} vectors, expected 1"
            raise DataError(f"{record.place}: {what}; mend the row, or train with --source vectors")
        return matrix

    def to_json(self) -> str:
        """Return the content of features.json."""
        return json.dumps({"mean": self.mean.tolist(), "deviation": self.deviation.tolist()})

    def load_json(self, text: str) -> None:
        """Take over a features.json. Raises ModelError if it is malformed."""
        try:
            content = json.loads(text)
            mean, deviation = (np.array(content[key], dtype=np.float64) for key in ("mean", "deviation"))
        except (ValueError, RecursionError, KeyError, TypeError, OverflowError) as error:
            raise ModelError(f"features.json: malformed ({error!r}); copy it again") from error
        fits = mean.ndim == 1 and len(mean) and mean.shape == deviation.shape
        if not (fits and np.isfinite(mean).all() and np.isfinite(deviation).all() and (deviation > 0).all()):
            raise ModelError("features.json: does not hold a mean and a deviation a feature; copy it again")
        self.mean, self.deviation = mean, deviation

    def sizes(self) -> dict[str, int]:
        """Return the number of features."""
        return {"features": len(self.mean)}

    def lengths(self, column: Column) -> np.ndarray:
        """Return the steps of each example, (N,)."""
        return column.lengths

    def gather(self, column: Column, rows: np.ndarray, width: int | None = None) -> np.ndarray:
        """Return the vectors of some examples, (B, T, F); zeros fill up."""
        return column.gather(rows, width)


class Moments:
    """Mean and variance of each feature, gathered piece by piece (Chan et al. 1979, eq. 2.1)."""

    def __init__(self, features: int) -> None:
        self.mean = np.zeros(features)
        self._squares = np.zeros(features)  # sum of squared distances from the mean
        self._count = 0

    def add(self, matrix: np.ndarray) -> None:
        """Take some steps (T, F), T > 0."""
        count, mean = len(matrix), matrix.mean(axis=0, dtype=np.float64)
        shift, together = mean - self.mean, self._count + count
        self._squares += ((matrix - mean) ** 2).sum(axis=0) + shift**2 * self._count * count / together
        self.mean = self.mean + shift * count / together
        self._count = together

    def deviation(self) -> np.ndarray:
        """Return the standard deviation of each feature; 1 for one that never changes."""
        deviation = np.sqrt(self._squares / max(self._count, 1))
        return np.where(deviation > 0, deviation, 1.0)
