"""An opened run with the backend that computes its network: what `Model` and the commands answer with.

On a CPU that is NumPy, which labels rows faster than PyTorch does, writes token by token three times as
fast, and is there at once. PyTorch computes where `device` names a GPU, and what NumPy does not know.
"""

from __future__ import annotations

from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from msgspec import Struct

from seqrnn.answering.answering_threads import SideBySide
from seqrnn.answering.backend import Backend
from seqrnn.answering.opened_run import open_run
from seqrnn.errors import UsageError
from seqrnn.library.installed import needs

BackendName = Literal["auto", "numpy", "torch"]


class Resources(Struct, frozen=True):
    """What computes, where, and with how many threads."""

    backend: BackendName = "auto"
    device: str = "auto"
    threads: int = 1


class OpenedModel:
    """The best network of a run directory, or the newest. Raises what `open_run` and the backends raise.

    Nothing outside it is changed: how many threads a product of matrices takes is for the program to say.
    """

    def __init__(self, path: Path, command: str | None, resources: Resources, newest: bool = False) -> None:
        self.run = open_run(path, command, newest)
        self.resources = resources
        self.backend: Backend = self._in_numpy() if self.in_numpy else self._in_torch()

    @cached_property
    def side_by_side(self) -> SideBySide:
        """What answers parts of the rows: PyTorch has threads of its own in each of them."""
        return SideBySide(self.resources.threads if self.in_numpy else 1)

    @cached_property
    def in_numpy(self) -> bool:
        """Whether NumPy computes. Raises UsageError where it should, but cannot."""
        from seqrnn.backends.numpy.backend import can_run

        chosen, device = self.resources.backend, self.resources.device
        if chosen not in get_args(BackendName):
            raise UsageError(f"`backend={chosen}`: must be one of {', '.join(get_args(BackendName))}")
        on_cpu, known = device in {"auto", "cpu"}, can_run(self.run)
        if chosen == "numpy" and not on_cpu:
            raise UsageError(f"`device` {device}: NumPy computes on the CPU; use `backend=torch`")
        if chosen == "numpy" and not known:
            raise UsageError("`backend=numpy`: this model needs PyTorch; use `backend=torch`")
        return chosen != "torch" and on_cpu and known

    def _in_numpy(self) -> Backend:
        from seqrnn.backends.numpy.backend import open_backend

        return open_backend(self.run)

    def _in_torch(self) -> Backend:
        if find_spec("torch") is None:
            raise UsageError(needs("this model, or the backend that was asked for,", "PyTorch"))
        from seqrnn.backends.torch.backend import open_backend

        return open_backend(self.run, self.resources.device)
