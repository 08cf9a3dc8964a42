"""Networks unrolled over time, as a lecture draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class TimeStep(NamedTuple):
    """One column of a drawing: input (below), state, output (above); each may be "".

    A state that `decodes` knows of what was written before it only, whichever ways the input is read.
    """

    read: str
    state: str
    written: str = ""
    decodes: bool = False

    def looks_ahead(self, both_ways: bool) -> bool:
        """Whether the state before this one depends on it, where the input is read `both_ways`."""
        return both_ways and not self.decodes


DOTS = TimeStep("...", "...")
Diagram = Sequence[TimeStep]


def one_to_one(written: str) -> Diagram:
    """Return a network without time."""
    return [TimeStep("x", "h", written)]


def many_to_one(written: str) -> Diagram:
    """Return a network that answers at the end."""
    steps = [TimeStep(f"x_{t}", f"h_{t}") for t in ("1", "2")]
    return [*steps, DOTS, TimeStep("x_T", "h_T", written)]


def aligned(first: str, second: str, last: str) -> Diagram:
    """Return a network that answers at every step."""
    dots = TimeStep("...", "...", "...")
    return [
        TimeStep("x_1", "h_1", first),
        TimeStep("x_2", "h_2", second),
        dots,
        TimeStep("x_T", "h_T", last),
    ]


def writing(*before: TimeStep, start: str = "<bos>") -> Diagram:
    """Return a network that, after what comes `before`, writes a sequence, reading what it has written."""
    decoder = ((start, "d_1", "y_1"), ("y_1", "d_2", "y_2"), ("...", "...", "..."))
    return [*before, *(TimeStep(*step, decodes=True) for step in decoder)]


def encoder() -> Diagram:
    """Return what reads a sequence."""
    return [TimeStep("x_1", "e_1"), DOTS, TimeStep("x_S", "e_S")]
