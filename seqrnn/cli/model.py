"""The model that a command asks, on the backend that suits the work.

NumPy answers at once, and token by token it is several times faster; PyTorch takes about two seconds
to be imported, and is then faster for rows by the thousand, the more so on a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from seqrnn.errors import UsageError

MOST_ROWS = 1000
"""So many rows that are there at once are answered by NumPy before PyTorch would have been imported."""


@dataclass(frozen=True)
class Resources:
    """What computes, where, and with how many threads."""

    backend: Literal["auto", "numpy", "torch"]
    device: str
    threads: int


class Model:
    """The best network of a run directory. Raises what `open_run` and the backends raise."""

    def __init__(self, path: Path, verb: str, resources: Resources) -> None:
        from seqrnn.answering.opened_run import open_run

        self.run = open_run(path, verb)
        self._resources = resources
        self.backend(1)  # now, while nothing has been answered

    def backend(self, rows: int) -> Any:
        """Return what computes so many rows that are there at once; see `answering/backend.py`."""
        if self._may_use_numpy and (self._resources.backend == "numpy" or rows <= MOST_ROWS):
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
