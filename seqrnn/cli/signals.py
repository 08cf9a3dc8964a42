"""Ending a training from outside: once to finish the step and save, twice to leave at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import typer

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping(stop: Callable[[str], None]) -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into `stop(reason)`, and exit with 128 + its number afterwards.

    The second one has its usual effect at once.
    """
    caught: list[int] = []

    def handle(number: int, _: FrameType | None) -> None:
        caught.append(number)
        stop(f"{signal.Signals(number).name} came")
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, handle)
    try:
        yield
    finally:
        restore()
    if caught:
        raise typer.Exit(128 + caught[0])
