"""All texts that would be right answers to an example, kept as they are, to measure against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.dataset.columns import Column, IntArray
from seqrnn.data.fields.fitting import UnfittedField
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import Encoded

END = 0xFF  # comes after each text, and pads a batch: no byte of UTF-8 is this one


class ReferencesField(UnfittedField):
    """The targets of a record as bytes of UTF-8: a tokenizer might cut them, or not know all of them."""

    requires_known_values = True
    unit: str | None = None

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def description(self) -> str:
        """There is only one kind."""
        return f"{self.name} references"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Bytes."""
        return np.dtype(np.uint8)

    def encode(self, records: Sequence[Record]) -> list[Encoded]:
        """Return the bytes of each record's targets, `END` after each."""
        return [Encoded(_bytes_of(record.targets)) for record in records]


def _bytes_of(texts: Sequence[str]) -> np.ndarray:
    content = b"".join(text.encode("utf-8", "surrogatepass") + bytes([END]) for text in texts)
    return np.frombuffer(content, dtype=np.uint8).astype(np.int32)


def texts_of(row: IntArray) -> list[str]:
    """Return the texts that were encoded into one row, which may be padded with `END`."""
    parts = row.astype(np.uint8).tobytes().split(bytes([END]))
    return [part.decode("utf-8", "surrogatepass") for part in parts if part]


def shared_references(source: Column, references: Column) -> Column:
    """Return for each example the references of all examples that read the same: (n,) of `END`ed bytes."""
    keys = [part.tobytes() for part in _parts(source)]
    shared: dict[bytes, list[NDArray[Any]]] = {}
    for key, part in zip(keys, _parts(references), strict=True):
        shared.setdefault(key, []).append(part)
    together = {key: np.concatenate(parts) for key, parts in shared.items()}
    return Column.of([together[key] for key in keys])


def _parts(column: Column) -> Iterator[NDArray[Any]]:
    return (column.values[start:stop] for start, stop in pairwise(column.offsets))
