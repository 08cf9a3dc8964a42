"""Sums over the workers of one machine, through memory that all of them map.

Gloo sends a gradient through a socket even to a neighbour. Here each worker writes its numbers once and reads
those of the others once.
"""

from __future__ import annotations

import fcntl
import os
import platform
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seqrnn.training.worker_processes import WorkerLostError

SHARED = Path("/dev/shm")  # a file system in memory; a file there has a random name, and loses it at once
IN_ORDER = frozenset({"x86_64", "AMD64"})  # processors on which all see the writes of another in their order
LINE = 64  # bytes that a processor keeps together; each counter has its own
SPIN_SECONDS = 0.005  # in which a worker looks again and again, before it sleeps in between
SLEEP_SECONDS = 0.0005
LOOK_SECONDS = 0.2  # between two looks at whether the others live


class SharedSums:
    """Sums one array of float32 after the other, each of the same size.

    A worker counts what it has written, and reads when all have counted as far. Two buffers by turns make a
    second wait unnecessary: who writes the third has seen that all had read the first.
    """

    def __init__(self, descriptor: int, size: int, rank: int, count: int) -> None:
        self._descriptor, self._rank, self._count = descriptor, rank, count
        path = f"/proc/self/fd/{descriptor}"
        self._written = np.memmap(path, np.int64, "r+", shape=(count, LINE // 8))
        self._buffers = torch.from_numpy(
            np.memmap(path, np.float32, "r+", offset=count * LINE, shape=(2, count, size))
        )
        fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, rank)  # as long as this process lives

    @classmethod
    def between(
        cls, size: int, rank: int, count: int, share: Callable[[str], str], agree: Callable[[bool], bool]
    ) -> SharedSums | None:
        """Make room that all workers see; all must call it. None where that is impossible for one of them.

        `share` returns what the first worker says, `agree` whether something holds for all.
        """
        descriptor, name = _allocated(count * LINE + 8 * count * size) if rank == 0 else (-1, "")
        name = share(name)
        with suppress(OSError):
            if name and rank:
                descriptor = os.open(name, os.O_RDWR)
        sums = cls(descriptor, size, rank, count) if descriptor >= 0 else None
        possible = agree(sums is not None)
        if name and rank == 0:
            os.unlink(name)
        return sums if possible else None

    def close(self) -> None:
        """Leave the others; the memory goes with the last that does."""
        del self._written, self._buffers
        os.close(self._descriptor)

    def sum(self, numbers: Tensor) -> None:
        """Replace numbers (size,) by the sums over all workers, which are the same to the last bit for all.

        Raises WorkerLostError where a worker has ended.
        """
        turn = int(self._written[self._rank, 0]) + 1
        buffer = self._buffers[turn % 2]
        buffer[self._rank] = numbers
        self._written[self._rank, 0] = turn
        self._await(turn)
        torch.sum(buffer, 0, out=numbers)

    def _await(self, turn: int) -> None:
        started = looked = time.monotonic()
        while (self._written[:, 0] < turn).any():
            now = time.monotonic()
            time.sleep(0 if now - started < SPIN_SECONDS else SLEEP_SECONDS)
            if now - looked > LOOK_SECONDS:
                self._require_all()
                looked = now

    def _require_all(self) -> None:
        """Raise WorkerLostError where a worker has ended: the lock that it held is free."""
        for rank in range(self._count):
            if rank != self._rank:
                with suppress(OSError):
                    fcntl.lockf(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, rank)
                    raise WorkerLostError(f"worker {rank} has ended")


def _allocated(size: int) -> tuple[int, str]:
    """Make a file of so many bytes in memory; return its descriptor and name, -1 where there is no room."""
    if platform.machine() not in IN_ORDER:
        return -1, ""
    try:
        descriptor, name = tempfile.mkstemp(dir=SHARED, prefix="seqrnn-")
    except OSError:
        return -1, ""
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError:
        os.close(descriptor)
        os.unlink(name)
        return -1, ""
    return descriptor, name
