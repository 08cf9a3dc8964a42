"""The processes of a data-parallel training: those that torchrun has started, or that are started here.

PyTorch is imported when they meet, not before.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TypeAlias

from seqrnn.config_file import dump, load_run_config
from seqrnn.data.fields.field import vocabulary_files
from seqrnn.errors import DataError, OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqrnn.config import Config
    from seqrnn.data.dataset.prepare import PreparedData
    from seqrnn.data.fields.field import Field
    from seqrnn.training.data_parallel import DataParallelWorkers
    from seqrnn.training.rendezvous import Rendezvous
    from seqrnn.training.workers import Workers

Child: TypeAlias = "subprocess.Popen[bytes]"

VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # as torchrun and others set them
LEADER = "SEQRNN_LEADER"  # number of the process that has started this one
PR_SET_PDEATHSIG = 1  # as prctl.h has it
POLL = 0.05  # seconds between two looks at whether all workers are ready
GRACE = 5.0  # seconds in which a worker ends by itself
CAUSE_PATIENCE = 3.0  # seconds in which a worker that failed may say so before another says that it is gone
QUIET = {"TORCH_CPP_LOG_LEVEL": "FATAL"}  # in the environment: what goes wrong is said in one line
BEGIN, FAILED = "begin", "failed"  # keys of the store


class WorkerLostError(OutputError):
    """Another worker has ended before its time."""


@contextmanager
def peers() -> Iterator[None]:
    """Tell of a worker that is gone: Gloo, NCCL and the store raise RuntimeError for that as for all else."""
    try:
        yield
    except RuntimeError as error:
        raise WorkerLostError(str(error)) from error


@dataclass(frozen=True)
class WorkerRanks:
    """Which of how many workers a process is, and which on its machine (`local_rank`)."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    local_count: int = 1

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> WorkerRanks:
        """Read what torchrun has set; without it a process is alone. Raises UsageError for anything else."""
        if any(name not in environment for name in VARIABLES):
            return cls()
        try:
            rank, count = (int(environment[name]) for name in VARIABLES[:2])
            local_rank, local_count = (
                int(environment.get(name, "")) if environment.get(name) else default
                for name, default in (("LOCAL_RANK", rank), ("LOCAL_WORLD_SIZE", count))
            )
        except ValueError:
            named = ", ".join(f"{name}={environment[name]}" for name in VARIABLES[:2])
            raise UsageError(f"{named}: no numbers of workers; unset them, or start with torchrun") from None
        return cls(rank, count, local_rank, local_count)


def threads_of_each(count: int) -> int:
    """Return how many threads each of so many workers of this machine has, unless that is set."""
    return max(1, len(os.sched_getaffinity(0)) // count)


class WorkerProcesses:
    """The workers of a training as processes, seen from one of them; `Workers` is what they compute together.

    A worker that fails ends all others. One of them reports, and all end with its exit code.
    """

    def __init__(self, ranks: WorkerRanks, started: Sequence[Child] = (), socket_fd: int = -1) -> None:
        """`started` are the other workers, if this process has started them.

        They ask for it at `socket_fd`, a socket.
        """
        self.ranks = ranks
        self._started = list(started)
        self._listening_fd = socket_fd
        self._rendezvous: Rendezvous | None = None
        self._workers: Workers | None = None

    @classmethod
    def start(cls, count: int, said: IO[bytes] | None = None) -> WorkerProcesses:
        """Start all workers but the first one, which this process is; errors go to `said`, or stderr."""
        listening = socket.create_server(("127.0.0.1", 0), backlog=count)
        ranks = WorkerRanks(0, count, 0, count)
        shared = {
            **QUIET,
            "OMP_NUM_THREADS": str(threads_of_each(count)),
            **os.environ,
            "WORLD_SIZE": str(count),
            "LOCAL_WORLD_SIZE": str(count),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(listening.getsockname()[1]),
            LEADER: str(os.getpid()),
        }
        command = [sys.executable, "-m", "seqrnn", "train"]
        started = [
            subprocess.Popen(
                command,
                env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
            for rank in range(1, count)
        ]
        return cls(ranks, started, listening.detach())

    @property
    def leads(self) -> bool:
        """Whether this is the worker that reads the command, reports, evaluates and saves."""
        return self.ranks.rank == 0

    def lead(self, config: Config, prepared: PreparedData) -> Workers:
        """Have the others prepare the same training, and wait until all are ready."""
        from seqrnn.training.workers import Workers

        if self.ranks.count == 1:
            return Workers()
        with peers():
            self._meet().store.set(BEGIN, json.dumps({"config": dump(config), "data": _data_of(prepared)}))
        return self._join(config)

    def ordered(self) -> tuple[Config, dict[str, str]]:
        """Wait for what the leading worker wants to be trained, and on which data."""
        with peers():
            begun = json.loads(self._meet().store.get(BEGIN))
        return load_run_config(begun["config"], "configuration of worker 0"), begun["data"]

    def follow(self, config: Config, prepared: PreparedData, data: Mapping[str, str]) -> DataParallelWorkers:
        """Join a training, if its data are the same here. Raises DataError where they are not."""
        found = _data_of(prepared)
        for name in sorted({*found, *data}):
            if found.get(name) != data.get(name):
                raise DataError(
                    f"{name}: is not the same for worker {self.ranks.rank} as for worker 0; give all "
                    "machines the same files and the same version of seqrnn"
                )
        return self._join(config)

    def _join(self, config: Config) -> DataParallelWorkers:
        from seqrnn.training.data_parallel import DataParallelWorkers, device_of

        device = device_of(config.training.device, self.ranks)
        rendezvous = self._meet()
        rendezvous.set_ready()
        while not rendezvous.is_complete():
            if self._ended() or rendezvous.store.check([FAILED]):
                raise WorkerLostError(self.lost())
            time.sleep(POLL)
        self._workers = DataParallelWorkers(rendezvous.store, self.ranks, device)
        return self._workers

    def _meet(self) -> Rendezvous:
        """Find the other workers, once."""
        if self._rendezvous is None:
            from seqrnn.training.rendezvous import Rendezvous

            self._rendezvous = Rendezvous(self.ranks, self._listening_fd)
        return self._rendezvous

    def first_failure(self, code: int, lost: bool) -> int | None:
        """Return the exit code of the worker that has failed first, once that has said why.

        None if it is this one, with `code`. `lost`: it has only noticed that another is gone, which may be
        about to tell.
        """
        if self._rendezvous is None:
            return None
        store = self._rendezvous.store
        try:
            until = time.monotonic() + (CAUSE_PATIENCE if lost else 0.0)
            while time.monotonic() < until and not store.check([FAILED]):
                time.sleep(POLL)
            mine = f"{self.ranks.rank} {code}"
            first = store.compare_set(FAILED, "", mine).decode()
        except RuntimeError:  # the leading worker is gone, and has said why
            return code
        if first == mine:
            return None
        rank, code = map(int, first.split())
        with suppress(subprocess.TimeoutExpired):
            if 0 < rank <= len(self._started):
                self._started[rank - 1].wait(GRACE)
        return code

    def fail(self, code: int, lost: bool) -> tuple[int | None, str]:
        """End all workers, since this one has failed with `code`.

        Returns what `first_failure` does, and what can be said of a worker that is `lost`.
        """
        first = self.first_failure(code, lost)
        message = self.lost()
        self.end(failed=True)
        return first, message

    def lost(self) -> str:
        """Say which worker is gone, as far as this one can tell."""
        who = "another worker has ended"
        if ended := self._ended():
            number, code = ended[0]
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            who = f"worker {number} of {self.ranks.count} has ended ({how})"
        return f"{who}; what was saved stays, continue with `resume`"

    def _ended(self) -> list[tuple[int, int]]:
        """Return the workers that have ended, of those that this one has started, and how."""
        codes = ((number, child.poll()) for number, child in enumerate(self._started, start=1))
        return [(number, code) for number, code in codes if code is not None]

    def leave(self) -> None:
        """Let go of the others, where this process goes on after a failure."""
        if self._workers is not None:
            self._workers.close()

    def end(self, failed: bool = False) -> None:
        """Wait for the workers that this one has started, and end those that do not end by themselves.

        Those that have joined the training do so also where it has `failed`, as soon as this one is gone.
        """
        if not failed:
            self.leave()
        until = time.monotonic() + (GRACE if self._workers is not None and not failed else 0.0)
        for child in self._started:
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(until - time.monotonic(), 0.0))
            child.kill()
            child.wait()


def _data_of(prepared: PreparedData) -> dict[str, str]:
    """Return the sha256 of each file, and of what was learned from all, by name."""
    fields: Sequence[Field] = prepared.fields
    contents: dict[str, str] = {
        name: hashlib.sha256(text.encode()).hexdigest() for name, text in vocabulary_files(fields).items()
    }
    return contents | prepared.hashes


def end_with_leader() -> None:
    """End this process when the worker that has started it ends, however suddenly."""
    if (leader := os.environ.get(LEADER)) is not None:
        with suppress(OSError, AttributeError):  # systems other than Linux
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if leader != str(os.getppid()):
            raise SystemExit(OutputError.exit_code)
