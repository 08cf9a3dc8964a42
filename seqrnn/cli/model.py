"""The model that a command asks, on the backend that suits the work."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from seqrnn.answering.opened_run import OpenedRun


class Model:
    """The network of a run."""

    def __init__(self, run: OpenedRun, device: str, threads: int) -> None:
        self.run = run
        self._device = device
        self._threads = threads

    def backend(self, rows: int) -> Any:  # noqa: ARG002
        """Return the backend for so many rows."""
        return self._torch

    @cached_property
    def _torch(self) -> Any:
        from seqrnn.engine.backend import open_backend
        from seqrnn.engine.device import set_threads

        set_threads(self._threads)
        return open_backend(self.run, self._device)
