"""Pretrained word vectors from a file: one word and its numbers a line, or word2vec's binary.

Read are the formats of word2vec and fastText, whose first line says how many words and dimensions
follow, and of GloVe, which has no such line. A word may hold blanks: the last numbers are its vector.
"""

from __future__ import annotations

import gzip
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.lines import GZIP_MAGIC, UNREADABLE, Line, read_lines
from seqrnn.errors import DataError

Vectors = tuple[NDArray[np.float32], NDArray[np.int64]]
Found = dict[str, NDArray[np.float32]]

FIRST_LINES = 20  # that show how many numbers a vector has
HEAD = 4096  # bytes that tell text from numbers as a machine has them
LEAST_CONTROLS = 0.01  # of these bytes
CHUNK = 1 << 20  # bytes
LONGEST_WORD = 10_000  # bytes
FASTTEXT_MODEL = b"\xba\x16\x4f\x2f"


def read_vectors(path: str, vocabulary: Mapping[str, int]) -> Vectors:
    """Return the vectors (N, E) of those words of `vocabulary` that the file has, and their ids (N,).

    A word of the vocabulary takes the vector of the same word or, if there is none, that of its
    lower-cased form. Other lines are passed over without being parsed or kept. Raises DataError
    with the location of a line of another dimension, or with anything but finite numbers.
    """
    wanted = {form for word in vocabulary for form in (word, word.lower())}
    head = _head(path)
    vectors, dimension = _from_binary(path, wanted) if _is_binary(head, path) else _from_text(path, wanted)
    found = {i: word if word in vectors else word.lower() for word, i in vocabulary.items()}
    found = {i: form for i, form in sorted(found.items()) if form in vectors}
    matrix = np.array([vectors[form] for form in found.values()], dtype=np.float32)
    return matrix.reshape(len(found), dimension), np.array([*found], dtype=np.int64)


def _from_text(path: str, wanted: set[str]) -> tuple[Found, int]:
    lines = read_lines(path, "replace")
    head = list(islice(lines, FIRST_LINES))
    announced = _announced_dimension(head[0].text) if head else None
    head = head[1:] if announced else head
    dimension = announced or _usual_dimension(head)
    vectors: Found = {}
    for line in chain(head, lines):
        text = line.text.rstrip()
        if "\t" in text:
            text = text.replace("\t", " ")
        word, _, numbers = text.partition(" ")
        if word in wanted and not _goes_on(numbers, dimension):
            vectors.setdefault(word, _parse(f"{path}:{line.number}", numbers, dimension))
    return vectors, dimension


def _announced_dimension(text: str) -> int | None:
    cells = text.split()
    return int(cells[1]) if len(cells) == 2 and all(map(_is_count, cells)) else None


def _is_count(cell: str) -> bool:
    return cell.isdecimal() and len(cell) < 10


def _usual_dimension(lines: Iterable[Line]) -> int:
    """Return how many numbers most lines end with."""
    ends = [_numbers_at_end(line.text.split()[1:]) for line in lines if line.text.strip()]
    return Counter(ends).most_common(1)[0][0] if ends else 0


def _numbers_at_end(cells: list[str]) -> int:
    words = [index for index, cell in enumerate(cells, start=1) if not _is_float(cell)]
    return len(cells) - (words[-1] if words else 0)


def _is_float(cell: str) -> bool:
    """Whether a cell is a number, finite or not."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _goes_on(numbers: str, dimension: int) -> bool:
    """Whether the word is only the first part of one with blanks, such as `. . .`."""
    cells = numbers.split()
    others = cells[: max(0, len(cells) - dimension)]
    return bool(others) and not all(map(_is_float, others))


def _parse(location: str, numbers: str, dimension: int) -> NDArray[np.float32]:
    cells = numbers.split()
    if len(cells) != dimension:
        raise DataError(f"{location}: dimension {len(cells)}, expected {dimension}; fix or remove the line")
    try:
        with np.errstate(over="ignore"):  # 1e99 becomes infinity, which is refused below
            vector = np.array(cells, dtype=np.float32)
    except ValueError as error:
        raise DataError(f"{location}: {error}; fix or remove the line") from error
    if not np.isfinite(vector).all():
        raise DataError(f"{location}: a number is not finite; fix or remove the line")
    return vector


def _head(path: str) -> bytes:
    """Return the first bytes, unzipped; nothing of what can be read only once, or not at all."""
    if not os.path.isfile(path):
        return b""
    try:
        with _open(path) as file:
            return file.read(HEAD)
    except (OSError, EOFError):
        return b""  # which is told when the lines are read


def _open(path: str) -> IO[bytes]:
    with open(path, "rb") as file:
        zipped = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    opened: IO[bytes] = gzip.open(path) if zipped else open(path, "rb")  # type: ignore[assignment]  # noqa: SIM115
    return opened


def _is_binary(head: bytes, path: str) -> bool:
    """Whether a file begins as word2vec's binary. Raises DataError for any other that is no text."""
    controls = sum(byte < 32 and byte not in b"\t\r\n" for byte in head)
    if head.startswith(FASTTEXT_MODEL):
        raise DataError(f"{path}: is a whole model of fastText; give the .vec file that is beside it")
    if controls <= LEAST_CONTROLS * len(head):
        return False
    if _announced_dimension(head.partition(b"\n")[0].decode("utf-8", "replace")) is None:
        raise DataError(f"{path}: is no text and not word2vec's binary; give word vectors as text")
    return True


def _from_binary(path: str, wanted: set[str]) -> tuple[Found, int]:
    """Read word2vec's binary: a line with both counts, then each word, a blank and its numbers."""
    vectors: Found = {}
    try:
        with _open(path) as file:
            count, dimension = map(int, file.readline().split())
            for number, (word, raw) in enumerate(_entries(file, count, 4 * dimension), start=1):
                if word in wanted and word not in vectors:
                    vectors[word] = np.frombuffer(raw, dtype="<f4").astype(np.float32)
                    if not np.isfinite(vectors[word]).all():
                        raise DataError(
                            f"{path}: word {number}: a number is not finite; write the file again"
                        )
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None)
        advice = UNREADABLE if reason else "copy it again"
        raise DataError(f"{path}: {reason or 'ends too early, or is damaged'}; {advice}") from error
    return vectors, dimension


def _entries(file: IO[bytes], count: int, width: int) -> Iterator[tuple[str, bytes]]:
    """Yield each word and the bytes of its vector. Raises EOFError where the file ends before the last."""
    held, at = b"", 0
    for _ in range(count):
        while (end := held.find(b" ", at, at + LONGEST_WORD)) < 0 or len(held) < end + 1 + width:
            if end < 0 and len(held) - at > LONGEST_WORD:
                raise EOFError
            more: Any = file.read(CHUNK)
            if not more:
                raise EOFError
            held, at = held[at:] + more, 0
        yield held[at:end].decode("utf-8", "replace").lstrip("\n"), held[end + 1 : end + 1 + width]
        at = end + 1 + width
