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

from seqrnn.training.worker_processes import WorkerRanks, peers

PATIENCE = timedelta(days=7)  # for a worker that prepares data or evaluates; one that dies is noticed at once
POLL = 0.05  # seconds between two looks


class Rendezvous:
    """One attempt to train together. `store` is what its workers share, and no others."""

    def __init__(self, ranks: WorkerRanks, socket_fd: int = -1) -> None:
        """Open the rendezvous as the leading worker, or wait until that has done so.

        `socket_fd` is the socket at which the others ask for this process, which has started them; without
        one the environment says where to meet.
        """
        self._ranks = ranks
        self._greeted: dict[int, bytes] = {}
        with peers():
            self._outer_store: Store = (
                _host_store(socket_fd) if socket_fd >= 0 else next(rendezvous("env://", timeout=PATIENCE))[0]
            )
            name = uuid.uuid4().hex
            self.store = PrefixStore(name if ranks.rank == 0 else self._find(name), self._outer_store)
        self._name = name

    def _find(self, own: str) -> str:
        """Say hello until the leading worker has heard it; return where that is found."""
        welcome = f"welcome/{self._ranks.rank}"
        self._outer_store.set(f"hello/{self._ranks.rank}", own)
        while True:
            if self._outer_store.check([welcome]):
                greeted, _, found = self._outer_store.get(welcome).decode().partition(" ")
                if greeted == own:
                    return str(found)
            time.sleep(POLL)

    def is_complete(self) -> bool:
        """Whether all workers are ready; the leading one tells those who came where it is found."""
        if self._ranks.rank == 0:
            self._greet()
        with peers():
            return bool(self.store.check([f"ready/{rank}" for rank in range(self._ranks.count)]))

    def set_ready(self) -> None:
        """Let the others know that this worker has all it needs."""
        with peers():
            self.store.set(f"ready/{self._ranks.rank}", "")

    def _greet(self) -> None:
        for rank in range(1, self._ranks.count):
            with peers():
                if not self._outer_store.check([f"hello/{rank}"]):
                    continue
                hello = self._outer_store.get(f"hello/{rank}")
                if hello != self._greeted.get(rank):
                    self._outer_store.set(f"welcome/{rank}", f"{hello.decode()} {self._name}")
                    self._greeted[rank] = hello


def _host_store(socket_fd: int) -> Store:
    """Return a store that this process keeps, for those who ask at a listening socket."""
    with socket.socket(fileno=os.dup(socket_fd)) as listening:
        port = listening.getsockname()[1]
    return TCPStore(
        "127.0.0.1", port, None, True, PATIENCE, wait_for_workers=False, master_listen_fd=socket_fd
    )
