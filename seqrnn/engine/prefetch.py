"""Making batches in another thread, while a GPU computes those before them."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import Any, TypeVar

Item = TypeVar("Item")

PATIENCE = 0.1  # seconds between two looks whether the other side still is there


def ahead(items: Iterator[Item], most: int) -> Iterator[Item]:
    """Yield `items`, up to `most` of which are made before anybody asks for them.

    An exception of `items` is raised where its item would have come.
    """
    found: Queue[tuple[str, Any]] = Queue(most)
    over = Event()

    def put(what: str, item: Any) -> None:
        while not over.is_set():
            try:
                found.put((what, item), timeout=PATIENCE)
                return
            except Full:
                continue

    def make() -> None:
        try:
            for item in items:
                put("item", item)
                if over.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again by the other thread
            put("error", error)
        put("end", None)

    Thread(target=make, name="batches", daemon=True).start()
    try:
        while (entry := found.get())[0] == "item":
            yield entry[1]
        if entry[0] == "error":
            raise entry[1]
    finally:
        over.set()
