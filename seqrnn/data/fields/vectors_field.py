"""Numbers as a sequence: a vector for each time step, each feature brought to one scale."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from seqrnn.catalog import FieldFile
from seqrnn.config import DataConfig
from seqrnn.data.dataset.columns import Column
from seqrnn.data.fields.fitting import FittedField
from seqrnn.data.fields.input_sizes import VectorSizes
from seqrnn.data.fields.named_files import names_array
from seqrnn.data.fields.source_kind import SourceKind
from seqrnn.data.fields.steps import LARGEST, matrix_of, steps_of
from seqrnn.data.formats.table import own_name
from seqrnn.data.limits import require_length
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import Encoded
from seqrnn.errors import DataError, ModelError
from seqrnn.strict_json import COPY, Positive, Strict, read_as


class Scales(Strict, frozen=True):
    """The content of a file that keeps a mean and a deviation for each feature, or each channel."""

    mean: Annotated[list[float], Meta(min_length=1)]
    deviation: list[Positive]

    @classmethod
    def read(cls, text: str, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return means and deviations, each (F,). Raises ModelError where the file `name` holds others."""
        content = read_as(cls, text, name)
        if len(content.mean) != len(content.deviation):
            raise ModelError(f"{name}: does not hold a deviation for each mean; {COPY}")
        return np.array(content.mean), np.array(content.deviation)


class VectorsSource(SourceKind):
    """Vectors, one a time step: in a field, in a file, in the rows of a table or in one row of it."""

    settings = frozenset({"data.normalize"})
    has_numbers = True
    in_columns = True
    file_kind = "array"

    def field(self, data: DataConfig) -> VectorsField:
        """Make a field of vectors."""
        names = tuple(map(own_name, data.feature_columns))
        return VectorsField("source", data.normalize, data.max_tokens, self.sequential, names)

    def names_file(self, record: Record) -> bool:
        """Whether it is a path of an array."""
        return names_array(record)


class VectorSource(VectorsSource):
    """One vector, without time steps."""

    sequential = False


class VectorsField(FittedField):
    """The vectors of a record, (T, F); with `normalize` each feature has mean 0 and deviation 1 in training.

    Without `sequential` a record is one vector.
    """

    file_name: FieldFile | None = "features.json"
    requires_known_values = False
    unit: str | None = "step"

    def __init__(
        self,
        name: str,
        normalize: bool,
        max_steps: int | None,
        sequential: bool = True,
        columns: tuple[str, ...] = (),
    ) -> None:
        """Take the names of the columns that hold the numbers, if a table has them."""
        self.name = name
        self.sequential = sequential
        self._columns = columns
        self._normalize = normalize
        self._max_steps = max_steps
        self.mean = np.empty(0)  # (F,)
        self.deviation = np.empty(0)  # (F,)
        self._moments: Moments | None = None

    @property
    def description(self) -> str:
        """The limit, whether features are normalised, and in which precision."""
        return f"{self.name} vectors {self._max_steps} {self._normalize} {self.sequential} float64"

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
        """Raise DataError, with its location, for a record without vectors of the right size."""
        self._encode(record)

    def encode(self, records: Sequence[Record]) -> list[Encoded]:
        """Return the normalised vectors of each record. Raises DataError as `check` does."""
        return [self._encode(record) for record in records]

    def _encode(self, record: Record) -> Encoded:
        matrix = self._matrix(record, len(self.mean))
        kept = matrix[: self._max_steps]
        require_length(record, len(kept), "step")
        normalised = self.normalise(kept)
        if not (np.abs(normalised) <= LARGEST).all():
            what = "a number is too far from those of the training data"
            raise DataError(f"{record.location}: {what}; fix the row, or train with `data.normalize=false`")
        return Encoded(normalised, truncated=len(kept) < len(matrix))

    def normalise(self, vectors: np.ndarray) -> np.ndarray:
        """Bring vectors (..., F) to the scale of the training data, in double precision; return float32."""
        with np.errstate(over="ignore"):
            normalised: np.ndarray = ((vectors - self.mean) / self.deviation).astype(np.float32)
        return normalised

    def _matrix(self, record: Record, features: int | None) -> np.ndarray:
        if not self.sequential:
            self._require_one(record, features)
        return matrix_of(record, features)

    def _require_one(self, record: Record, features: int | None) -> None:
        """Raise DataError, with its location, for a record of several vectors, or one of another size."""
        steps = steps_of(record)
        what = None if len(steps) == 1 else f"{len(steps)} vectors, expected 1"
        if what is None and features and isinstance(steps[0], list) and len(steps[0]) != features:
            count = "1 number" if len(steps[0]) == 1 else f"{len(steps[0])} numbers"
            what = f"{count}, expected {features}"
        if what is not None:
            advice = "fix the row, or train with `data.source_kind=vectors`"
            raise DataError(f"{record.location}: {what}; {advice}")

    def step_names(self, record: Record, encoded: Encoded) -> list[str]:  # noqa: ARG002
        """Name the columns of a table that hold the steps or, of one vector, features; or number them."""
        steps, features = encoded.ids.shape
        count = steps if self.sequential else features
        if count == len(self._columns) and not (self.sequential and features > 1):
            return list(self._columns)
        return [str(n + 1) for n in range(count)]

    def to_json(self) -> str:
        """Return the content of features.json."""
        return json.dumps({"mean": self.mean.tolist(), "deviation": self.deviation.tolist()})

    def load_json(self, text: str) -> None:
        """Take over a features.json. Raises ModelError if it is malformed."""
        self.mean, self.deviation = Scales.read(text, "features.json")

    def sizes(self) -> VectorSizes:
        """Return the number of features."""
        return VectorSizes(len(self.mean))

    def lengths(self, column: Column, rows: np.ndarray) -> np.ndarray:
        """Return the steps of the examples `rows` (B,), (B,)."""
        return column.lengths_of(rows)

    def gather(self, column: Column, rows: np.ndarray, width: int | None = None) -> np.ndarray:
        """Return the vectors of some examples, (B, T, F); padded with zeros."""
        return column.gather(rows, width)


class Moments:
    """Mean and variance of each feature, gathered piece by piece (Chan et al. 1979, eq. 2.1).

    Numbers are taken as distances from the first one, so that none but their own digits are lost where
    they lie far from 0 and close together, and one that never changes has exactly the deviation 0.
    """

    def __init__(self, features: int) -> None:
        self._origin: np.ndarray | None = None  # (F,), the first step
        self._mean = np.zeros(features)  # of the distances
        self._squares = np.zeros(features)  # sum of squared distances from the mean
        self._count = 0

    @property
    def mean(self) -> np.ndarray:
        """The mean of each feature, (F,)."""
        return self._mean if self._origin is None else self._origin + self._mean

    def add(self, matrix: np.ndarray) -> None:
        """Take some steps (T, F), T > 0."""
        matrix = matrix.astype(np.float64)
        if self._origin is None:
            self._origin = matrix[0]
        distances = matrix - self._origin
        count, mean = len(distances), distances.mean(axis=0)
        shift, together = mean - self._mean, self._count + count
        self._squares += ((distances - mean) ** 2).sum(axis=0) + shift**2 * self._count * count / together
        self._mean = self._mean + shift * count / together
        self._count = together

    def deviation(self) -> np.ndarray:
        """Return the standard deviation of each feature; 1 for one that never changes."""
        deviation = np.sqrt(self._squares / max(self._count, 1))
        return np.where(deviation > 0, deviation, 1.0)
