"""The server: a socket, and uvicorn on it until a signal comes."""

from __future__ import annotations

import asyncio
import socket

import uvicorn

from seqrnn.cli.serving.answerer import Answerer
from seqrnn.cli.serving.app import Endpoints, application
from seqrnn.cli.serving.batching import Batcher
from seqrnn.cli.serving.bounded import Bounded, is_loopback
from seqrnn.cli.serving.connections import bounded_protocol
from seqrnn.cli.serving.limits import HEAD_BYTES, IDLE_SECONDS, Limits
from seqrnn.cli.serving.metrics import Metrics
from seqrnn.errors import OutputError

BACKLOG = 128  # connections that wait to be accepted


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises OutputError for an address that cannot be had."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen(BACKLOG)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise OutputError(
            f"{host}:{port}: {error.strerror or error}; give another --host or --port"
        ) from None
    return bound


def url_of(bound: socket.socket) -> str:
    """Return the address of a socket as a client writes it."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(
    bound: socket.socket, host: str, answerer: Answerer, limits: Limits, threads: int, debug: bool
) -> None:
    """Answer on a socket until SIGINT or SIGTERM; requests that have begun are finished."""
    metrics = Metrics(answerer.task)
    batcher = Batcher(answerer.answers, limits, metrics, threads, debug)
    app = application(Endpoints(answerer, batcher, limits, metrics))
    config = uvicorn.Config(
        Bounded(app, f"/{answerer.command}", limits, metrics, local_only=is_loopback(host)),
        http=bounded_protocol(limits),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # a client that sends garbage must not fill the operator's disk
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=int(limits.seconds) + 1,
        h11_max_incomplete_event_size=HEAD_BYTES,
    )

    async def answering() -> None:
        async with batcher.running():
            await uvicorn.Server(config).serve(sockets=[bound])

    asyncio.run(answering())
