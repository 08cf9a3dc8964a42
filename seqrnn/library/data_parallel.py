"""A training by several processes: what each does that does not lead, and how a program leads its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from seqrnn.errors import (
    DataError,
    LockedError,
    MemoryLimit,
    ModelError,
    NumericError,
    OutputError,
    SeqrnnError,
    UsageError,
)
from seqrnn.library.plan import task_of
from seqrnn.library.prepared import PreparedDirectory, is_prepared
from seqrnn.training.worker_processes import WorkerLostError, WorkerProcesses, WorkerRanks

if TYPE_CHECKING:
    from seqrnn.config import Config, DataConfig

MAX_WORKERS = 1024
SAID = "seqrnn: error: "  # before what a command says when it fails
ERRORS: dict[int, type[SeqrnnError]] = {
    error.exit_code: error
    for error in (UsageError, DataError, ModelError, OutputError, NumericError, LockedError, MemoryLimit)
}


def follow(processes: WorkerProcesses, joined: Callable[[], None]) -> None:
    """Take part in a training that another of the processes leads, to its end.

    That one says what is trained; the data are read here as well, and must be the same. `joined` is called
    when the training begins, which ends with the leading worker from then on.
    """
    from seqrnn.data.dataset.prepare import prepare
    from seqrnn.training.session import Session
    from seqrnn.training.worker_loop import run_worker_loop

    config, data = processes.ordered()
    task, training = task_of(config), config.training
    if is_prepared(config.data):
        prepared = PreparedDirectory.open(Path(config.data.train[0])).read(task.fields)
    else:
        prepared = prepare(config.data, task.fields, training.seed, training.threads)
    workers = processes.follow(config, prepared, data)
    joined()
    run_worker_loop(Session(config, task, prepared, workers=workers).trainer, workers)


def reads_stdin(data: DataConfig) -> bool:
    """Whether one of the files is standard input."""
    return "-" in {*data.train, *data.valid, *data.test, data.source, data.target}


def check_together(count: int, config: Config, folds: int | None = None) -> None:
    """Raise UsageError for what only one process can do, if there are more."""
    if count > 1 and folds is not None:
        raise UsageError("`folds` trains with one worker; leave it out, or `workers`")
    if count > 1 and reads_stdin(config.data):
        raise UsageError("- is standard input, which one process can read; give several workers a file")


def check_count(count: int) -> None:
    """Raise UsageError unless a program can train with so many workers, of which it is one."""
    if not isinstance(count, int) or not 1 <= count <= MAX_WORKERS:
        raise UsageError(f"`workers={count!r}`: must be a whole number from 1 to {MAX_WORKERS}")
    if count == 1:
        return
    if (started := WorkerRanks.of_environment(os.environ).count) > 1:
        raise UsageError(f"`workers`: torchrun has started {started} already; leave it out")
    from seqrnn.training.data_parallel import check_no_group

    check_no_group()


@contextmanager
def led(count: int) -> Iterator[WorkerProcesses | None]:
    """Yield so many workers, which this process leads, or None for one; all others have ended afterwards.

    They print nothing: what one says that fails is raised here, as the error that it was there.
    """
    if count == 1:
        yield None
        return
    with tempfile.TemporaryFile() as said:
        processes = WorkerProcesses.start(count, said)
        try:
            yield processes
        except BaseException as error:
            lost = isinstance(error, WorkerLostError)
            first, message = processes.fail(getattr(error, "exit_code", 1), lost)
            processes.leave()
            told = _told(said)
            if first is not None:
                raise ERRORS.get(first, WorkerLostError)(told or message) from error
            if lost:
                raise WorkerLostError(f"{message} ({told})" if told else message) from error
            raise
        processes.end()


def _told(said: IO[bytes]) -> str:
    """Return the error that the first of the workers has told, else the last line that there is."""
    said.seek(0)
    lines = said.read().decode(errors="replace").splitlines()
    errors = [line.removeprefix(SAID) for line in lines if line.startswith(SAID)]
    return next(iter(errors or lines[-1:]), "")
