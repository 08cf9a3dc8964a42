"""What is read of an example: a text, numbers a time step, notes, an image. Tasks need not know which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from seqrnn.config import DataConfig
from seqrnn.data.dataset.columns import Column
from seqrnn.data.fields.field import Field, TextField
from seqrnn.data.fields.image_field import ImageField
from seqrnn.data.fields.notes_field import NotesField
from seqrnn.data.fields.vectors_field import VectorsField
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import TokenizerSettings

SETTINGS: Mapping[str, frozenset[str]] = {
    "image": frozenset({"data.normalize", "data.image_size", "model.channels"}),
    "notes": frozenset({"data.keys"}),
    "vector": frozenset({"data.normalize"}),
    "vectors": frozenset({"data.normalize"}),
}
"""Configuration keys that say something to what is read, by its kind, but not to every kind."""


class SourceField(Field, Protocol):
    """A field whose values enter a network."""

    sequential: bool
    """Whether an example has time steps, and not just one value."""

    def check(self, record: Record) -> None:
        """Raise DataError, with its place, for a record that `encode` would refuse."""

    def sizes(self) -> dict[str, int]:
        """Return what a network must know: `vocabulary` of tokens, `features` of vectors, or of images.

        These have `channels` and a `side` in pixels.
        """

    def lengths(self, column: Column) -> np.ndarray:
        """Return the time steps of each example, (N,)."""

    def gather(self, column: Column, rows: np.ndarray, width: int | None = None) -> np.ndarray:
        """Return the examples `rows` (B,) as the network reads them.

        Tokens are (B, T), vectors (B, T, F), filled up to `width` or the longest; images are (B, C, N, N).
        """


def source_field(data: DataConfig) -> SourceField:
    """Make the field, called "source", of what a configuration says is read."""
    kind = data.source_kind
    if kind == "image":
        return ImageField("source", data.image_size, data.normalize)
    if kind == "notes":
        return NotesField("source", data.keys, data.max_tokens)
    if kind in {"vector", "vectors"}:
        return VectorsField("source", data.normalize, data.max_tokens, sequential=kind == "vectors")
    return TextField("source", TokenizerSettings.of(data))
