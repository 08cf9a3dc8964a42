"""Several workers behave like one command: one draws and reports, and all end with the same exit code."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from seqrnn.cli.exits import describe
from seqrnn.cli.signals import SIGNALS
from seqrnn.config import Config
from seqrnn.config_file import dump
from seqrnn.errors import ModelError, UsageError
from seqrnn.run.files import read_regular
from seqrnn.run.location import is_run
from seqrnn.run.manifest import CONFIG
from seqrnn.training.worker_processes import (
    QUIET,
    WorkerLostError,
    WorkerProcesses,
    WorkerRanks,
    end_with_leader,
    threads_of_each,
)

TORCHRUN = "TORCHELASTIC_RUN_ID"  # set by torchrun for each worker
RESTARTS = "TORCHELASTIC_RESTART_COUNT"


def begun_by_torchrun(output: Path | None, overwrite: bool) -> bool:
    """Whether there is a run that the same command may have begun, before torchrun has started it again.

    A run that it is told to replace can only be its own if it was started before.
    """
    if TORCHRUN not in os.environ or output is None or not is_run(output):
        return False
    return not overwrite or os.environ.get(RESTARTS, "0") != "0"


def is_alone(processes: WorkerProcesses) -> bool:
    """Whether a command is one process, which torchrun would not start again with the same settings."""
    return processes.ranks.count == 1 and TORCHRUN not in os.environ


def is_of(run: Path, config: Config) -> bool:
    """Whether a run was begun with these settings, each of them."""
    try:
        return read_regular(run / CONFIG).decode() == dump(config)
    except (ModelError, UnicodeDecodeError):
        return False


@contextmanager
def working_together(asked: int | None, by_one: bool) -> Iterator[WorkerProcesses]:
    """Yield the workers of a command: those that torchrun has started or, with `asked`, as many from here.

    What is done `by_one` the first does alone, and others end. Whatever is raised inside ends all workers,
    and is raised by the one that failed first.
    """
    ranks = WorkerRanks.of_environment(os.environ)
    if ranks.count > 1 and asked:
        raise UsageError(f"`workers`: torchrun has started {ranks.count} already; leave it out")
    if by_one and ranks.rank:
        raise typer.Exit
    if by_one:
        asked, ranks = None, WorkerRanks()
    count = max(asked or 1, ranks.count)
    if count > 1:  # this process is one of them, and has not imported PyTorch
        threads = {} if ranks.count > 1 else {"OMP_NUM_THREADS": str(threads_of_each(count))}
        os.environ.update({**QUIET, **threads, **os.environ})
    processes = WorkerProcesses.start(asked) if asked and asked > 1 else WorkerProcesses(ranks)
    if not processes.leads:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # while it waits in PyTorch, Python hears nothing
        end_with_leader()
    try:
        yield processes
    except (typer.Exit, SystemExit):
        processes.end()
        raise
    except BaseException as error:
        lost = isinstance(error, WorkerLostError)
        first, message = processes.fail(describe(error)[0], lost)
        if first is not None:
            raise typer.Exit(first) from None
        if lost:
            raise WorkerLostError(message) from error
        raise
    processes.end()


def leave_signals_to_leader() -> None:
    """Ignore what ends a training: the worker that leads hears it too, and tells the others."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
