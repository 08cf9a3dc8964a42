"""Several parts of a stream answered side by side, each in a thread: NumPy leaves Python's lock to others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import pairwise
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

    Task = tuple[Future[Any], Callable[[Any], Any], Any]

Item = TypeVar("Item")
Result = TypeVar("Result")


class SideBySide:
    """Works like `map`, but in several threads.

    Results come in the order of the items, of which no more than two wait beside those that are being
    computed. None among the items says that the next may be long in coming: all results are handed out
    before it is asked for, as they are before an error of the items is raised. An item that comes alone
    is computed by the caller's own thread.
    """

    def __init__(self, threads: int) -> None:
        """Compute in so many threads."""
        self._threads = threads

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item | None]) -> Iterator[Result]:
        """Yield the result of `function` for each item. Raises what it raises."""
        if self._threads == 1:
            yield from map(function, (item for item in items if item is not None))
            return
        flying: deque[Future[Result]] = deque()
        failures: list[Exception] = []

        def fetched() -> Iterator[Item | None]:
            try:
                yield from items
            except Exception as error:  # noqa: BLE001 (raised once all that came before is handed out)
                failures.append(error)
            yield None

        try:
            for item, following in pairwise(fetched()):
                if item is None:
                    continue
                if not flying and following is None:
                    yield function(item)
                    continue
                flying.append(self._submit(function, item))
                most = self._threads if following is not None else 0
                while len(flying) > most:
                    yield flying.popleft().result()
            for failure in failures:
                raise failure
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
            except BaseException as error:  # noqa: BLE001 (asking for the result raises it again)
                future.set_exception(error)
