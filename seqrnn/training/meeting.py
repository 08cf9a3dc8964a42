"""Where the workers of a training find each other, and tell each other texts by name.

torchrun keeps its store when it starts workers again, with all that former workers have left there. So each
worker says hello by a name of its own, and is told under which prefix the leading worker of now is found.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from datetime import timedelta

from torch._C._distributed_c10d import PrefixStore, Store, TCPStore
from torch.distributed.rendezvous import rendezvous

from seqrnn.training.worker_processes import WorkerPlace, peers

PATIENCE = timedelta(days=7)  # for a worker that prepares data or evaluates; one that dies is noticed at once
POLL = 0.05  # seconds between two looks


class Meeting:
    """One attempt to train together. `store` is what its workers share, and no others."""

    def __init__(self, place: WorkerPlace, door: int = -1) -> None:
        """Open the meeting as the leading worker, or wait until that has done so.

        `door` is the descriptor at which the others ask for this process, which has started them; without one
        the environment says where to meet.
        """
        self._place = place
        self._greeted: dict[int, bytes] = {}
        with peers():
            self._hall: Store = (
                _hosted(door) if door >= 0 else next(rendezvous("env://", timeout=PATIENCE))[0]
            )
            name = uuid.uuid4().hex
            self.store = PrefixStore(name if place.rank == 0 else self._find(name), self._hall)
        self._name = name

    def _find(self, own: str) -> str:
        """Say hello until the leading worker has heard it; return where that is found."""
        welcome = f"welcome/{self._place.rank}"
        self._hall.set(f"hello/{self._place.rank}", own)
        while True:
            if self._hall.check([welcome]):
                greeted, _, found = self._hall.get(welcome).decode().partition(" ")
                if greeted == own:
                    return str(found)
            time.sleep(POLL)

    def is_complete(self) -> bool:
        """Whether all workers are ready; the leading one tells those who came where it is found."""
        if self._place.rank == 0:
            self._greet()
        with peers():
            return bool(self.store.check([f"ready/{rank}" for rank in range(self._place.count)]))

    def be_ready(self) -> None:
        """Let the others know that this worker has all it needs."""
        with peers():
            self.store.set(f"ready/{self._place.rank}", "")

    def _greet(self) -> None:
        for rank in range(1, self._place.count):
            with peers():
                if not self._hall.check([f"hello/{rank}"]):
                    continue
                hello = self._hall.get(f"hello/{rank}")
                if hello != self._greeted.get(rank):
                    self._hall.set(f"welcome/{rank}", f"{hello.decode()} {self._name}")
                    self._greeted[rank] = hello


def _hosted(door: int) -> Store:
    """Return a store that this process keeps, for those who ask at a listening socket."""
    with socket.socket(fileno=os.dup(door)) as listening:
        port = listening.getsockname()[1]
    return TCPStore("127.0.0.1", port, None, True, PATIENCE, wait_for_workers=False, master_listen_fd=door)
