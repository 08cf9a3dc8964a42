"""The input of an example: a text, numbers a time step, notes, an image. Tasks need not know which."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from seqrnn.data.dataset.columns import Column
from seqrnn.data.fields.field import Field
from seqrnn.data.fields.input_sizes import InputSizes
from seqrnn.data.record import Record
from seqrnn.data.text.encoded import Encoded


class SourceField(Field, Protocol):
    """A field whose values enter a network."""

    sequential: bool
    """Whether an example has time steps, and not just one value."""

    def check(self, record: Record) -> None:
        """Raise DataError, with its location, for a record that `encode` would refuse."""

    def step_names(self, record: Record, encoded: Encoded) -> list[str]:
        """Name each step of a record as it was encoded or, of what has no steps, each feature or region."""

    def sizes(self) -> InputSizes:
        """Return what a network must know."""

    def lengths(self, column: Column, rows: np.ndarray) -> np.ndarray:
        """Return the time steps of the examples `rows` (B,), (B,)."""

    def gather(self, column: Column, rows: np.ndarray, width: int | None = None) -> np.ndarray:
        """Return the examples `rows` (B,) as the network reads them.

        Tokens are (B, T), vectors (B, T, F), padded to `width` or the longest; images are (B, C, N, N).
        """
