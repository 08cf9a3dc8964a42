"""The model that a command asks, on the backend that suits the work.

On a CPU NumPy labels a row in the time that PyTorch needs, or in a quarter more, and it writes token by
token three times as fast; but PyTorch takes as long to be imported as NumPy for 20,000 rows. So it is worth
that only where rows by the ten thousand are there to be answered, or where there is a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from seqrnn.errors import UsageError

AT_ONCE = 1000
"""Rows that come together where the producer is fast, as a file is."""

MANY = 50_000
"""Rows after which those that come together are answered by PyTorch."""


@dataclass(frozen=True)
class Resources:
    """What computes, where, and with how many threads."""

    backend: Literal["auto", "numpy", "torch"]
    device: str
    threads: int


class Model:
    """The best network of a run directory. Raises what `open_run` and the backends raise."""

    def __init__(self, path: Path, verb: str | None, resources: Resources) -> None:
        from seqrnn.answering.opened_run import open_run

        self.run = open_run(path, verb)
        self._resources = resources
        self._rows = 0  # that backends were asked for
        self.backend(1)  # now, while nothing has been answered

    def backend(self, rows: int) -> Any:
        """Return what computes so many rows that are there at once; see `answering/backend.py`."""
        self._rows += rows
        many = rows >= AT_ONCE and self._rows > MANY
        if self._may_use_numpy and (self._resources.backend == "numpy" or not many):
            return self._numpy
        return self._torch

    @cached_property
    def _may_use_numpy(self) -> bool:
        from seqrnn.runtime.backend import can_run

        chosen, device = self._resources.backend, self._resources.device
        on_cpu, known = device in {"auto", "cpu"}, can_run(self.run)
        if chosen == "numpy" and not on_cpu:
            raise UsageError(f"--device {device}: NumPy computes on the CPU; use --backend torch")
        if chosen == "numpy" and not known:
            raise UsageError("--backend numpy: this model needs PyTorch; use --backend torch")
        return chosen != "torch" and on_cpu and known

    @cached_property
    def _numpy(self) -> Any:
        from seqrnn.runtime.backend import open_backend

        return open_backend(self.run)

    @cached_property
    def _torch(self) -> Any:
        from seqrnn.engine.backend import open_backend
        from seqrnn.engine.device import set_threads

        set_threads(self._resources.threads)
        return open_backend(self.run, self._resources.device)
