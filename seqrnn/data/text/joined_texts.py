r"""Many texts as one array of bytes, from which tokens are found by array operations.

Shapes: n texts, C chunks of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEWLINE, SPACE, TAB = b"\n \t"
FILE_SEPARATOR = 0x1C  # with the three after it white space for Python alone
END = 0xFF  # ends a text that may hold newlines: no byte of UTF-8 is this one
MARK = bytes([END])
TOP_BITS, CONTINUED = 0xC0, 0x80  # of the second and later bytes of a character

# White space beyond ASCII, as UTF-8.
TWO_BYTES = (0xC285, 0xC2A0)
THREE_BYTES = np.array(
    [0xE19A80, *range(0xE28080, 0xE2808B), 0xE280A8, 0xE280A9, 0xE280AF, 0xE2819F, 0xE38080]
)


class Chunks(NamedTuple):
    """Where chunks start and end in `content`, (C,), and how many come up to the end of each text, (n,)."""

    content: bytes
    starts: Integers
    ends: Integers
    last: Integers


class JoinedTexts(Struct, frozen=True, dict=True):
    r"""Texts as UTF-8, each followed by the byte `end`, which none holds.

    It is `\n`, which is part of the text if they are `whole` lines, or END.
    """

    content: bytes
    end: int = NEWLINE
    whole: bool = False

    @classmethod
    def of(cls, texts: Sequence[str]) -> JoinedTexts:
        """Join texts that may hold anything."""
        joined = "\0".join([*texts, ""])
        if joined.count("\0") == len(texts):
            return cls(joined.encode("utf-8", "surrogatepass").replace(b"\0", MARK), END)
        return cls(b"".join(text.encode("utf-8", "surrogatepass") + MARK for text in texts), END)

    def __len__(self) -> int:
        return len(self._marks)

    @cached_property
    def array(self) -> NDArray[np.uint8]:
        """The content as an array."""
        return np.frombuffer(self.content, dtype=np.uint8)

    @cached_property
    def is_ascii(self) -> bool:
        """Whether each byte of the texts is a character."""
        if self.end == NEWLINE:
            return self.content.isascii()
        return not bool((self.array - 0x80 < END - 0x80).any())

    @cached_property
    def _marks(self) -> Integers:
        return np.flatnonzero(self.array == self.end)

    @cached_property
    def sizes(self) -> Integers:
        """Bytes of each text, (n,)."""
        return np.diff(self._marks, prepend=-1) - (not self.whole)

    @cached_property
    def lengths(self) -> Integers:
        """Characters of each text, (n,)."""
        if self.is_ascii:
            return self.sizes
        continued = np.flatnonzero((self.array & TOP_BITS) == CONTINUED)
        return self.sizes - np.diff(np.searchsorted(continued, self._marks), prepend=0)

    def bare(self) -> bytes:
        """Return the bytes of all texts, without what only ends them."""
        return self.content if self.whole else self.content.replace(bytes([self.end]), b"")

    def code_points(self) -> NDArray[np.uint32]:
        """Return the number of each character of all texts."""
        return code_points(self.bare().decode("utf-8", "surrogatepass"))

    def texts(self) -> list[str]:
        """Return the texts."""
        ends = (self._marks + self.whole).tolist()
        content, sizes = self.content, self.sizes.tolist()
        spelled = (content[end - size : end] for end, size in zip(ends, sizes, strict=True))
        return [text.decode("utf-8", "surrogatepass") for text in spelled]

    def blank(self) -> Flags:
        """Return which texts are nothing but white space as `str.strip` knows it, (n,)."""
        solid = np.flatnonzero(~self._spaces()[1:-1] & (self.array - FILE_SEPARATOR > 3))
        blank: Flags = np.diff(np.searchsorted(solid, self._marks), prepend=0) == 0
        return blank

    def longest_run(self) -> int:
        """Return the most bytes in a row that are blanks, or are none: spaces, tabs and newlines."""
        blanks = (self.array == SPACE) | (self.array - TAB < 2)
        return int(np.diff(np.flatnonzero(blanks[1:] != blanks[:-1]), prepend=-1, append=len(blanks)).max())

    def only(self, chosen: Flags) -> JoinedTexts:
        """Return the texts that are `chosen` (n,)."""
        if chosen.all():
            return self
        kept = self.array[np.repeat(chosen, np.diff(self._marks, prepend=-1))]
        return replace(self, content=kept.tobytes())

    def chunks(self) -> Chunks:
        r"""Return what white space separates; a newline in a text is a chunk of its own."""
        spaces = self._spaces()
        edges = np.flatnonzero(spaces[1:] != spaces[:-1])
        starts, ends = edges[0::2], edges[1::2]
        if self.whole or self.end == END:
            newlines = self._marks if self.whole else np.flatnonzero(self.array == NEWLINE)
            index = np.searchsorted(starts, newlines)
            starts, ends = np.insert(starts, index, newlines), np.insert(ends, index, newlines + 1)
        return Chunks(self.content, starts, ends, np.searchsorted(starts, self._marks, "right"))

    def _spaces(self) -> Flags:
        """Return whether each byte is of white space, (N + 2,), with white space around it all."""
        found = np.ones(len(self.content) + 2, dtype=bool)
        inner = found[1:-1]
        np.less(self.array - TAB, 5, out=inner)  # with \n, \v, \f and \r
        inner |= self.array == SPACE
        if self.end == END:
            inner |= self.array == END
        if not self.is_ascii:
            self._mark_others(inner)
        return found

    def _mark_others(self, spaces: Flags) -> None:
        """Mark white space beyond ASCII, by the characters of which it may be."""
        content = np.concatenate([self.array, np.zeros(2, dtype=np.uint8)])
        at = np.flatnonzero((self.array == 0xC2) | (self.array - 0xE1 < 3))
        first, second, third = (content[at + offset].astype(np.int32) for offset in range(3))
        two = at[np.isin(first << 8 | second, TWO_BYTES)]
        three = at[np.isin(first << 16 | second << 8 | third, THREE_BYTES)]
        for offset in range(3):
            spaces[three + offset] = True
            spaces[two + min(offset, 1)] = True


def code_points(text: str) -> NDArray[np.uint32]:
    """Return the number of each character, (T,) uint32."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
