"""The endpoints: answers, what they are, and what an operator asks."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from seqrnn import __version__
from seqrnn.cli.serving.answerer import Answerer
from seqrnn.cli.serving.batching import Batcher
from seqrnn.cli.serving.bodies import JSON, LINES, kind_of, read_body, rows_in
from seqrnn.cli.serving.bounded import share_of
from seqrnn.cli.serving.limits import Limits
from seqrnn.cli.serving.metrics import CONTENT_TYPE, Metrics

PIECE = 64 << 10  # bytes of an answer that are on their way before the next are


class Endpoints:
    """What each path answers."""

    def __init__(self, answerer: Answerer, batcher: Batcher, limits: Limits, metrics: Metrics) -> None:
        self._answerer = answerer
        self._batcher = batcher
        self._limits = limits
        self._metrics = metrics

    @property
    def routes(self) -> list[Route]:
        """The paths; that of the answers bears the name of the command."""
        return [
            Route("/", self.about),
            Route(f"/{self._answerer.command}", self.answer, methods=["POST"]),
            Route("/healthz", self.health),
            Route("/readyz", self.ready),
            Route("/metrics", self.metrics),
        ]

    async def answer(self, request: Request) -> Response:
        """Answer the rows of a body: lines by lines, an object by an object."""
        kind = kind_of(request)
        content = await read_body(request, share_of(request.scope))
        found = await self._batcher.ask(rows_in(content, kind, self._limits.rows, self._answerer))
        if kind != JSON:
            return _sent("".join(f"{line}\n" for line in found), LINES[0])
        return _sent(f'{{"answers": [{", ".join(found)}]}}\n', JSON)

    async def about(self, _: Request) -> Response:
        """Say what the model does, how it is asked, and what a request may cost."""
        answerer, limits = self._answerer, self._limits
        return JSONResponse(
            {
                "seqrnn": __version__,
                "task": answerer.task,
                "endpoint": f"POST /{answerer.command}",
                "example": {"rows": [answerer.example]},
                "limits": {"body_bytes": limits.body, "rows": limits.rows, "seconds": limits.seconds},
            }
        )

    async def health(self, _: Request) -> Response:
        """Say that the process lives."""
        return PlainTextResponse("ok\n")

    async def ready(self, _: Request) -> Response:
        """Say whether rows would be taken now."""
        if self._batcher.is_full:
            return PlainTextResponse("the queue is full\n", 503)
        return PlainTextResponse("ready\n")

    async def metrics(self, _: Request) -> Response:
        """Return the counters in the format of Prometheus."""
        return Response(self._metrics.page(), media_type=CONTENT_TYPE)


def application(endpoints: Endpoints) -> Starlette:
    """Return the ASGI application, whose errors are JSON as its answers are."""
    return Starlette(
        routes=endpoints.routes, exception_handlers={HTTPException: _refused, Exception: _failed}
    )


async def _refused(request: Request, error: Exception) -> Response:
    """Say why there is no answer; of a path that there is not, which there are."""
    assert isinstance(error, HTTPException)
    reason = error.detail
    if error.status_code == 404:
        reason = f"{request.url.path[:100]}: no such path; GET / says what there is"
    if error.status_code == 405:
        reason = f"{request.method} {request.url.path}: use another method; GET / says which"
    return JSONResponse({"error": reason}, error.status_code, error.headers)


async def _failed(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"error": "the request could not be answered"}, 500)


def _sent(text: str, kind: str) -> Response:
    content = text.encode("utf-8", "backslashreplace")
    headers = {"content-length": str(len(content))}
    return StreamingResponse(_pieces(content), media_type=kind, headers=headers)


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    """Yield a piece when the one before is on its way: a slow client holds no copy of its own."""
    view = memoryview(content)
    for start in range(0, len(view), PIECE):
        yield bytes(view[start : start + PIECE])
