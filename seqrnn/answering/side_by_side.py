"""Several batches in flight, each in a thread: NumPy leaves Python's lock while it computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

Item = TypeVar("Item")
Result = TypeVar("Result")


class Each(Protocol):
    """`map`, or what does the same in another way."""

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        """Yield the result of `function` for each item, in their order."""


class SideBySide:
    """Works like `map`, but in so many threads, and with no more items in flight than that.

    Results come in the order of the items. An item that comes alone is computed by the caller's own
    thread: a row of a slow producer waits for no other.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield the result of `function` for each item. Raises what it raises."""
        items = iter(items)
        first = list(islice(items, 2))
        if self._threads == 1 or len(first) < 2:
            yield from map(function, chain(first, items))
            return
        flying: deque[Future[Result]] = deque()
        try:
            for item in chain(first, items):
                if len(flying) == self._threads:
                    yield flying.popleft().result()
                flying.append(self._pool.submit(function, item))
            while flying:
                yield flying.popleft().result()
        finally:
            for future in flying:
                future.cancel()

    @cached_property
    def _pool(self) -> Executor:
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(self._threads)
