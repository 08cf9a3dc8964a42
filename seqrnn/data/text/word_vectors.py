"""Pretrained word vectors from a text file: one word and its numbers a line, split by spaces.

Read are the formats of word2vec and fastText, whose first line says how many words and dimensions
follow, and of GloVe, which has no such line.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.lines import Line, read_lines
from seqrnn.errors import DataError

Vectors = tuple[NDArray[np.float32], NDArray[np.int64]]


def read_vectors(path: str, vocabulary: Mapping[str, int]) -> Vectors:
    """Return the vectors (N, E) of those words of `vocabulary` that the file has, and their ids (N,).

    A word of the vocabulary takes the vector of the same word or, if there is none, that of its
    lower-cased form. Other lines are passed over without being parsed or kept. Raises DataError
    with the place of a line of another dimension, or with anything but finite numbers.
    """
    wanted = {form for word in vocabulary for form in (word, word.lower())}
    vectors: dict[str, NDArray[np.float32]] = {}
    dimension: int | None = None
    for line in read_lines(path, "replace"):
        if line.number == 1 and (dimension := _announced_dimension(line)):
            continue
        word, _, numbers = line.text.rstrip().partition(" ")
        if dimension is None:
            dimension = len(numbers.split())
        if word in wanted:
            vectors.setdefault(word, _parse(f"{path}:{line.number}", numbers, dimension))
    found = {i: word if word in vectors else word.lower() for word, i in vocabulary.items()}
    found = {i: form for i, form in sorted(found.items()) if form in vectors}
    matrix = np.array([vectors[form] for form in found.values()], dtype=np.float32)
    return matrix.reshape(len(found), dimension or 0), np.array([*found], dtype=np.int64)


def _announced_dimension(line: Line) -> int | None:
    cells = line.text.split()
    return int(cells[1]) if len(cells) == 2 and all(map(str.isdecimal, cells)) else None


def _parse(place: str, numbers: str, dimension: int) -> NDArray[np.float32]:
    cells = numbers.split()
    if len(cells) != dimension:
        raise DataError(f"{place}: dimension {len(cells)}, expected {dimension}; mend or remove the line")
    try:
        with np.errstate(over="ignore"):  # 1e99 becomes infinity, which is refused below
            vector = np.array(cells, dtype=np.float32)
    except ValueError as error:
        raise DataError(f"{place}: {error}; mend or remove the line") from error
    if not np.isfinite(vector).all():
        raise DataError(f"{place}: a number is not finite; mend or remove the line")
    return vector
