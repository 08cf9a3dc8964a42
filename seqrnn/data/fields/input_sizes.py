"""How large what a network reads is: tokens, vectors or images."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TokenSizes:
    """Of tokens, how many there are."""

    vocabulary: int


@dataclass(frozen=True)
class VectorSizes:
    """Of vectors, or of notes, how many numbers each has."""

    features: int


@dataclass(frozen=True)
class ImageSizes:
    """Of images, their channels and their side in pixels."""

    channels: int
    side: int


InputSizes = TokenSizes | VectorSizes | ImageSizes
