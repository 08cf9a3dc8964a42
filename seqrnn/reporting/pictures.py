"""The input of an example as a page can show it: a text, an image, lines of a series, or numbers."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.fields.images import read_pixels
from seqrnn.data.fields.named_files import find_named_file
from seqrnn.data.fields.source_kind import FileKind, SourceKind
from seqrnn.data.record import Record
from seqrnn.errors import DataError

SIDE = 96  # pixels of an image that is shown
LONGEST = 400  # characters of a text
MOST_SERIES = 4  # lines of a series, as many as there are styles
MOST_POINTS = 160  # steps of a line
MOST_NUMBERS = 24
DARKEST = 165  # of 255: how dark what was not looked at becomes


@dataclass(frozen=True)
class Picture:
    """What to show of an input; the attributes of other kinds of input are empty.

    `image` is an address of kind data:, `series` the values over time of each of the first `features`.
    """

    text: str = ""
    image: str = ""
    series: Sequence[Sequence[float]] = ()
    steps: int = 0
    features: int = 0


def picture_of(record: Record, kind: SourceKind) -> Picture:
    """Return what to show of a record from a source of this kind."""
    file_kind: FileKind = kind.file_kind
    if file_kind == "image":
        return Picture(record.source, _image(record))
    if record.steps is None:
        return Picture(cut(record.source))
    if kind.has_numbers and kind.sequential:
        return _series(record)
    return Picture(", ".join(f"{value:.4g}" for value in _numbers(record)[:MOST_NUMBERS]))


def cut(text: str) -> str:
    """Return a text, or its beginning where it is too long to be shown."""
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"


def veil(weights: Sequence[float], grid: int) -> str:
    """Return a dark image to lie over another one, the clearer the larger the weights (S,) of its regions.

    The regions are those of a grid, row by row; weights below 0 count as 0.
    """
    positive = np.clip(np.asarray(weights, dtype=np.float64), 0.0, None)
    shares = positive / (positive.max() or 1.0)
    pixels = np.zeros((grid, grid, 4), dtype=np.uint8)
    pixels[:, :, 3] = (DARKEST * (1.0 - shares)).round().reshape(grid, grid)
    return _address(pixels)


def _image(record: Record) -> str:
    try:
        return _address(read_pixels(find_named_file(record), side=SIDE))
    except DataError:
        return ""


def _address(pixels: NDArray[np.uint8]) -> str:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"


def _series(record: Record) -> Picture:
    steps = () if record.steps is None else record.steps
    stride = -(-len(steps) // MOST_POINTS)
    try:
        values = np.asarray(steps[::stride], dtype=np.float64)  # (T, F)
    except (TypeError, ValueError):  # keys that sound at a step, of which there may be any number
        return Picture(cut(str(list(steps))))
    values = values.reshape(len(values), -1)
    return Picture(series=values.T[:MOST_SERIES].tolist(), steps=len(steps), features=values.shape[1])


def _numbers(record: Record) -> list[float]:
    return np.asarray(record.steps, dtype=np.float64).ravel().tolist()
