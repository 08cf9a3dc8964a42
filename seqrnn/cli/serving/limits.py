"""What a client may cost: bytes, rows, time and connections, and how much of it all clients together."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException

BODIES_AT_ONCE = 8  # bodies of the largest size that all requests together may hold
HEAD_BYTES = 16 << 10  # of a request's line and headers
HEAD_SECONDS = 10.0  # for a request's line and headers, and for a client to read what is left of an answer
IDLE_SECONDS = 5  # between two requests


@dataclass(frozen=True)
class Limits:
    """What one request may cost, how many rows may wait, and how many clients be connected."""

    body: int  # bytes
    rows: int
    queue: int  # rows
    seconds: float
    connections: int


class BodyBudget:
    """The bytes of bodies that all requests hold together, from their arrival until they are answered.

    What is made of a body in memory is larger by a factor, so that this bounds it too.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._taken = 0

    def share(self) -> BodyShare:
        """Return the share of one request, of nothing yet."""
        return BodyShare(self)

    def take(self, count: int) -> None:
        """Take so many bytes. Raises HTTPException where others hold them."""
        if self._taken + count > BODIES_AT_ONCE * self._limits.body:
            raise busy("too many requests at once")
        self._taken += count

    def give_back(self, count: int) -> None:
        """Leave so many bytes to others."""
        self._taken -= count

    def check_body(self, count: int) -> None:
        """Raise HTTPException for a body of more bytes than one may have."""
        if count > self._limits.body:
            raise HTTPException(
                413,
                f"the body is larger than {self._limits.body:,} bytes; send fewer rows at once",
                {"connection": "close"},
            )


class BodyShare:
    """The bytes of one request's body."""

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self._size = 0
        self.is_whole = False  # whether the body has come to its end

    def add(self, count: int) -> None:
        """Take so many bytes more. Raises HTTPException where that is too much."""
        self._budget.check_body(self._size + count)
        self._budget.take(count)
        self._size += count

    def expect(self, count: int) -> None:
        """Look at the size that a request tells of its body. Raises HTTPException where it is too much."""
        self._budget.check_body(count)

    def release(self) -> None:
        """Leave all of it to others."""
        self._budget.give_back(self._size)
        self._size = 0


def busy(reason: str) -> HTTPException:
    """Return what tells a client to come back later."""
    return HTTPException(503, f"{reason}; try again later", {"retry-after": "1"})
