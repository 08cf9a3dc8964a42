"""An answer held against the right one: what a report counts, ranks and shows."""

from __future__ import annotations

from typing import Any, NamedTuple


class Grade(NamedTuple):
    """How good the answer to one row is.

    `score` is what is averaged over rows: 1 for a right answer and 0 for a wrong one, the share of items
    that are right, or an error.
    """

    expected: Any
    predicted: Any
    right: bool | None  # None where an answer is only better or worse than others
    score: float
