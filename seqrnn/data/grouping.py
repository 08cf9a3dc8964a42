"""Items of a stream in batches that fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

MOST_ITEMS = 1000  # encoding is fast in batches, and a batch is all that is held in memory
MOST_CHARACTERS = 1 << 20

T = TypeVar("T")


def batched(items: Iterable[T], characters: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield the items in lists, each complete once it has `MOST_ITEMS` or `MOST_CHARACTERS`."""
    batch: list[T] = []
    size = 0
    for item in items:
        batch.append(item)
        size += characters(item)
        if len(batch) == MOST_ITEMS or size >= MOST_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
