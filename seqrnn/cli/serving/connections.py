"""Connections that end: a client that sends or reads too slowly holds none for long."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from seqrnn.cli.serving.limits import HEAD_SECONDS, Limits


def bounded_protocol(limits: Limits) -> type[H11Protocol]:
    """Return uvicorn's protocol with a deadline for each part of an exchange, and a bound of connections.

    The head of a request must have come within `HEAD_SECONDS`, and an answer have been read so long after it
    was written. Uvicorn itself bounds only the time between two requests.
    """

    class BoundedProtocol(H11Protocol):
        """One connection."""

        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **named)
            self._deadline: asyncio.TimerHandle | None = None
            self._in_head = True

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Wait for the first request, unless there are too many clients already."""
            super().connection_made(transport)
            self._set_deadline(HEAD_SECONDS)
            if len(self.connections) > limits.connections:
                transport.abort()

        def data_received(self, data: bytes) -> None:
            """Give a request whose head has come its own time."""
            super().data_received(data)
            if self._in_head and self.conn.their_state is not h11.IDLE:
                self._in_head = False
                self._set_deadline(limits.seconds + HEAD_SECONDS)

        def on_response_complete(self) -> None:
            """Wait for what is left of the answer to be read, and for the next request."""
            self._in_head = True
            self._set_deadline(HEAD_SECONDS)
            super().on_response_complete()
            if self.conn.their_state is not h11.IDLE:  # a request that came after the last one
                self._in_head = False
                self._set_deadline(limits.seconds + HEAD_SECONDS)

        def connection_lost(self, exc: Exception | None) -> None:
            """Wait no longer."""
            if self._deadline is not None:
                self._deadline.cancel()
            super().connection_lost(exc)

        def _set_deadline(self, seconds: float) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
            self._deadline = self.loop.call_later(seconds, self.transport.abort)

    return BoundedProtocol
