"""What a server counts, in the format of Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from seqrnn import __version__

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The counters of one server. Their labels have few values, whatever clients send."""

    def __init__(self, task: str) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Info("seqrnn_model", "The model that answers", registry=registry).info(
            {"task": task, "version": __version__}
        )
        self.requests = Counter(
            "seqrnn_requests", "Requests, by endpoint and status", ["endpoint", "status"], registry=registry
        )
        self.seconds = Histogram(
            "seqrnn_request_seconds",
            "Seconds from the head of a request for answers to the end of its answer",
            buckets=SECONDS,
            registry=registry,
        )
        self.rows = Counter("seqrnn_rows", "Rows that were answered", registry=registry)
        self.row_errors = Counter("seqrnn_row_errors", "Rows among them without an answer", registry=registry)
        self.batches = Histogram(
            "seqrnn_batch_rows", "Rows that were answered together", buckets=ROWS, registry=registry
        )

    def watch(self, waiting: Callable[[], float]) -> None:
        """Show how many rows wait."""
        gauge = Gauge("seqrnn_queue_rows", "Rows that wait to be answered", registry=self.registry)
        gauge.set_function(waiting)

    def page(self) -> bytes:
        """Return all of it as text."""
        return generate_latest(self.registry)
