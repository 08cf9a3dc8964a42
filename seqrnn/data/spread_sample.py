"""A sample of a stream of unknown length that is spread evenly over it, the same at each pass."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class SpreadSample(Generic[T]):
    """Keeps every n-th item, n being the smallest power of 2 with which their sizes add up to `room` at most.

    A single item is kept however large it is.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept: list[tuple[T, int]] = []
        self._step = 1
        self._number = 0  # of the next item
        self._size = 0  # of those kept

    @property
    def items(self) -> list[T]:
        """The items that are kept, in their order."""
        return [item for item, _ in self._kept]

    @property
    def is_all(self) -> bool:
        """Whether every item is kept."""
        return self._step == 1

    @property
    def takes_next(self) -> bool:
        """Whether the next item will be kept, at least for now."""
        return self._number % self._step == 0

    def add(self, item: T, size: int) -> None:
        """Take an item of the stream."""
        taken = self.takes_next
        self._number += 1
        if not taken:
            return
        self._kept.append((item, size))
        self._size += size
        while self._size > self._room and len(self._kept) > 1:
            self._kept = self._kept[::2]
            self._size = sum(size for _, size in self._kept)
            self._step *= 2
