"""The characters of a text beside its tokens: what a word that is unknown as a token is spelled with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqrnn.data.fields.field import TextField
from seqrnn.data.fields.fitting import UnfittedField
from seqrnn.data.record import Record
from seqrnn.data.text.encoded import Encoded

MOST = 2**16  # characters of a text


class CodePointsField(UnfittedField):
    """The Unicode code points of what a text field reads, normalised as its tokens are; nothing is learned.

    White space is one blank, and there is one before the first word and after the last.
    """

    requires_known_values = False
    unit: str | None = None
    dtype: np.dtype[Any] = np.dtype(np.int32)

    def __init__(self, name: str, text: TextField) -> None:
        self.name = name
        self._text = text

    @property
    def description(self) -> str:
        """The text it is of."""
        return f"{self.name} code points of {self._text.description}"

    def encode(self, records: Sequence[Record]) -> list[Encoded]:
        """Return the code points of each text, as far as its tokens reach. Raises DataError as its field."""
        return [Encoded(self._code_points(record)) for record in records]

    def _code_points(self, record: Record) -> np.ndarray:
        tokenizer = self._text.tokenizer
        text = tokenizer.normalize(tokenizer.cut(self._text.text_of(record)))
        spaced = f" {' '.join(text.split())} "[:MOST]
        return np.frombuffer(spaced.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int32)
