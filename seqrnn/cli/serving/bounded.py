"""Every request bounded: by whom it may be sent, in bytes, and in time."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from time import monotonic
from typing import cast
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seqrnn.cli.exits import describe, report
from seqrnn.cli.serving.limits import BodyBudget, BodyShare, Limits, busy
from seqrnn.cli.serving.metrics import Metrics

SHARE = "seqrnn.share"


def share_of(scope: Scope) -> BodyShare:
    """Return what counts the bytes of a request's body."""
    return cast(BodyShare, scope[SHARE])


def is_loopback(host: str) -> bool:
    """Whether a name or an address means this machine and can be reached from no other."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")


class Bounded:
    """An ASGI application that passes requests on to another, and counts them.

    With `local_only` a request must name this machine as its host: a page on the web whose name is made to
    mean 127.0.0.1 would have a browser send another name.
    """

    def __init__(
        self, app: ASGIApp, answering: str, limits: Limits, metrics: Metrics, local_only: bool
    ) -> None:
        """Bound what `app` answers; requests to the path `answering` are measured."""
        self._app = app
        self._answering = answering
        self._limits = limits
        self._metrics = metrics
        self._local_only = local_only
        self._budget = BodyBudget(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        start, status = monotonic(), 0
        share = scope[SHARE] = self._budget.share()

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._answer(scope, receive, watched)
        except TimeoutError:
            if not status:  # else the connection is closed in the middle of the answer
                await _refuse(self._too_slow(share), scope, receive, watched)
        except ClientDisconnect:
            pass
        except Exception as error:  # noqa: BLE001 (the client has been told; now the operator is)
            report(describe(error)[1])
        finally:
            share.release()
            self._count(scope["path"], status, monotonic() - start)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope)
        async with asyncio.timeout(self._limits.seconds):
            if refusal is None:
                await self._app(scope, receive, send)
            else:
                await _refuse(refusal, scope, receive, send)

    def _refusal(self, scope: Scope) -> HTTPException | None:
        """Return why a request is not passed on, if it is not."""
        if not self._local_only:
            return None
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        try:
            named = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            named = ""
        if is_loopback(named):
            return None
        return HTTPException(403, "Host: must be localhost; to be reached by other names, serve with --host")

    def _too_slow(self, share: BodyShare) -> HTTPException:
        seconds = f"{self._limits.seconds:g} seconds"
        if share.is_whole:
            return busy(f"no answer within {seconds}")
        return HTTPException(408, f"the body has not come within {seconds}", {"connection": "close"})

    def _count(self, path: str, status: int, seconds: float) -> None:
        endpoint = path if path == self._answering else "other"
        self._metrics.requests.labels(endpoint, str(status or "none")).inc()
        if path == self._answering:
            self._metrics.seconds.observe(seconds)


async def _refuse(error: HTTPException, scope: Scope, receive: Receive, send: Send) -> None:
    response = JSONResponse({"error": error.detail}, error.status_code, error.headers)
    await response(scope, receive, send)
