"""Several batches in flight, each in a thread: NumPy leaves Python's lock while it computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import chain, islice
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

    Task = tuple[Future[Any], Callable[[Any], Any], Any]

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
                flying.append(self._submit(function, item))
            while flying:
                yield flying.popleft().result()
        finally:
            for future in flying:
                future.cancel()

    def _submit(self, function: Callable[[Item], Result], item: Item) -> Future[Result]:
        from concurrent.futures import Future

        future: Future[Result] = Future()
        self._waiting.put((future, function, item))
        return future

    @cached_property
    def _waiting(self) -> SimpleQueue[Task]:
        """What the threads take their work from. An interrupted command does not wait for such threads."""
        waiting: SimpleQueue[Task] = SimpleQueue()
        for _ in range(self._threads):
            Thread(target=_work, args=(waiting,), daemon=True).start()
        return waiting


def _work(waiting: SimpleQueue[Task]) -> None:
    while True:
        future, function, item = waiting.get()
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(function(item))
            except BaseException as error:  # noqa: BLE001 (whoever asks for the result raises it again)
                future.set_exception(error)
