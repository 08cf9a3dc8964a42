"""How large what a network reads is: tokens, vectors or images."""

from __future__ import annotations

from msgspec import Struct

MAX_GRID = 8  # along a side of what a convolutional network makes of an image


class TokenSizes(Struct, frozen=True):
    """Of tokens, how many there are."""

    vocabulary: int


class VectorSizes(Struct, frozen=True):
    """Of vectors, or of notes, how many numbers each has."""

    features: int


class ImageSizes(Struct, frozen=True):
    """Of images, their channels and their side in pixels."""

    channels: int
    side: int

    @property
    def sides(self) -> list[int]:
        """The side, and what it is after each block of a convolutional network, which halves it."""
        found = [self.side]
        while found[-1] > MAX_GRID:
            found.append((found[-1] + 1) // 2)
        return found

    @property
    def grid(self) -> int:
        """How many regions there are along each side in the end."""
        return self.sides[-1]


InputSizes = TokenSizes | VectorSizes | ImageSizes
