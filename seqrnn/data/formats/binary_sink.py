"""A file that a library writes, whose bytes are handed on as they come."""

from __future__ import annotations

import io
from typing import Any

from seqrnn.data.formats.answer_writer import Sink


class BinaryFile(io.RawIOBase):
    """Takes bytes from front to back; `hand_on` passes them to where they go.

    So a write that fails does so outside of the library, which would word the error anew.
    """

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, content: Any) -> int:
        """Take some bytes."""
        self._held.append(bytes(content))
        self._position += len(self._held[-1])
        return len(self._held[-1])

    def tell(self) -> int:
        """Return how many bytes were taken so far."""
        return self._position

    def hand_on(self, out: Sink) -> None:
        """Write what was taken since the last time."""
        held, self._held = self._held, []
        for content in held:
            out.write_bytes(content)
