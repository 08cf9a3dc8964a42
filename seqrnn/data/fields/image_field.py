"""Images as inputs: the column holds their paths, a batch their pixels.

Shapes: B batch, N side of an image in pixels.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqrnn.catalog import FieldFile
from seqrnn.config import DataConfig
from seqrnn.data.dataset.columns import Column
from seqrnn.data.fields.fitting import FittedField
from seqrnn.data.fields.images import CHANNELS, read_pixels
from seqrnn.data.fields.input_sizes import ImageSizes
from seqrnn.data.fields.named_files import find_file, find_named_file, path_of
from seqrnn.data.fields.source_kind import SourceKind
from seqrnn.data.fields.vectors_field import Moments, Scales
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import Encoded
from seqrnn.errors import DataError, ModelError
from seqrnn.strict_json import COPY

LEARNED_FROM = 1000  # images: enough for a mean and a deviation of each channel
MIN_DEVIATION = 1e-30  # of pixels from 0 to 1: far below any, and its inverse fits into single precision
KEPT_BYTES = 64 << 20  # of pixels that are not read again


class ImageSource(SourceKind):
    """An image in a file of its own, whose path is in the record."""

    settings = frozenset({"data.normalize", "data.image_size", "model.channels"})
    sequential = False
    file_kind = "image"
    row_field = "image"
    drawn = "image -> CNN"

    def field(self, data: DataConfig) -> ImageField:
        """Make a field of images."""
        return ImageField("source", data.image_size, data.normalize)

    def names_file(self, record: Record) -> bool:  # noqa: ARG002
        """Return true."""
        return True


class ImageField(FittedField):
    """The image that a record names, stretched to `side` x `side` pixels.

    With `normalize` each channel has mean 0 and deviation 1 over the first training images;
    otherwise its values lie between -1 and 1. Images are decoded when a batch needs them, and the
    last ones kept, so that a small data set is decoded once and a large one costs no memory.
    """

    file_name: FieldFile | None = "image.json"
    requires_known_values = False
    unit: str | None = None
    sequential = False

    def __init__(self, name: str, side: int, normalize: bool) -> None:
        self.name = name
        self.side = side
        self._normalize = normalize
        self._mean, self._deviation = np.full(CHANNELS, 0.5), np.full(CHANNELS, 0.5)
        self._moments, self._observed = Moments(CHANNELS), 0
        kept = max(1, KEPT_BYTES // (CHANNELS * side * side))
        self._read = lru_cache(maxsize=kept)(partial(read_pixels, side=side))

    @property
    def description(self) -> str:
        """The size, and whether channels are normalised."""
        return f"{self.name} image {self.side} {self._normalize}"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Bytes of a path."""
        return np.dtype(np.uint8)

    def observe(self, records: Sequence[Record]) -> None:
        """Look at the first images. Raises DataError as `check` does."""
        for record in records[: LEARNED_FROM - self._observed] if self._normalize else ():
            self._moments.add(self._pixels_of(record).reshape(-1, CHANNELS) / 255)
            self._observed += 1

    def settle(self) -> None:
        """Learn the mean and the deviation of each channel."""
        if self._normalize:
            self._mean, self._deviation = self._moments.mean, self._moments.deviation()
        self._moments, self._observed = Moments(CHANNELS), 0

    def check(self, record: Record) -> None:
        """Raise DataError, with its location, for a record whose image is missing or cannot be read."""
        self._pixels_of(record)

    def encode(self, records: Sequence[Record]) -> list[Encoded]:
        """Return the absolute path of each record's image, in bytes. Raises DataError as `check` does."""
        for record in records:
            self.check(record)
        return [Encoded(_bytes_of(path_of(record))) for record in records]

    def _pixels_of(self, record: Record) -> NDArray[np.uint8]:
        file = find_named_file(record)
        try:
            return self._read(file)  # (N, N, 3)
        except DataError as error:
            raise DataError(f"{record.location}: {error}") from error

    def step_names(self, record: Record, encoded: Encoded) -> list[str]:  # noqa: ARG002
        """Name the regions of the grid that a convolutional network makes of an image, row by row."""
        along = range(1, self.sizes().grid + 1)
        return [f"row {row} column {column}" for row in along for column in along]

    def to_json(self) -> str:
        """Return the content of image.json."""
        return json.dumps({"mean": self._mean.tolist(), "deviation": self._deviation.tolist()})

    def load_json(self, text: str) -> None:
        """Take over an image.json. Raises ModelError if it is malformed."""
        mean, deviation = Scales.read(text, "image.json")
        if len(mean) != CHANNELS:
            raise ModelError(f"image.json: does not hold a mean and a deviation for each channel; {COPY}")
        if not ((mean >= 0) & (mean <= 1) & (deviation >= MIN_DEVIATION) & (deviation <= 1)).all():
            raise ModelError(f"image.json: holds what no image has, whose pixels are from 0 to 1; {COPY}")
        self._mean, self._deviation = mean, deviation

    def sizes(self) -> ImageSizes:
        """Return the channels and the side of an image."""
        return ImageSizes(CHANNELS, self.side)

    def lengths(self, column: Column, rows: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """Return 1 for each of the examples `rows` (B,), (B,): an image has no time steps."""
        return np.ones(len(rows), dtype=np.int64)

    def gather(self, column: Column, rows: np.ndarray, width: int | None = None) -> np.ndarray:  # noqa: ARG002
        """Return the images of some examples as floats, (B, 3, N, N).

        Raises DataError where one cannot be read any more.
        """
        images = [self._read(find_file(_path_in(column, row))) for row in rows]
        pixels = np.array(images).reshape(-1, self.side, self.side, CHANNELS)  # (B, N, N, 3), also of none
        scaled = (pixels / 255 - self._mean) / self._deviation
        return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2), dtype=np.float32)


def _bytes_of(path: str) -> np.ndarray:
    return np.frombuffer(path.encode("utf-8", "surrogatepass"), dtype=np.uint8).astype(np.int32)


def _path_in(column: Column, row: int) -> str:
    content = column.values[column.offsets[row] : column.offsets[row + 1]]
    return content.astype(np.uint8).tobytes().decode("utf-8", "surrogatepass")
