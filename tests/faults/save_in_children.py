"""Saves again and again under strace, which strikes each save one system call later.

    strace -f -e inject=fsync:signal=SIGKILL:when=100 python save_in_children.py fsync 3 DIRECTORY

strace counts the calls of each process by itself and strikes at the hundredth. A child that wastes
100 - n calls before it saves is therefore struck in the n-th call of its save, and one start of
Python serves all n. What the child was struck in stays behind in DIRECTORY/n, and its exit code,
negative for a signal, is printed. The first child that is not struck is the last: its save is over.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from seqrnn.errors import OutputError
from seqrnn.run.checkpoint import Snapshot
from seqrnn.run.directory import RunDirectory
from seqrnn.run.lock import RunLock
from seqrnn.run.manifest import Metric

WHEN = 100
NOWHERE = "/nonexistent/file"
WASTE = {
    "fsync": lambda: os.fsync(2**20),
    "write": lambda: os.write(2**20, b""),
    "mkdir": lambda: os.mkdir(NOWHERE),
    "rename": lambda: os.rename(NOWHERE, NOWHERE),
    "unlink": lambda: os.unlink(NOWHERE),
    "rmdir": lambda: os.rmdir(NOWHERE),
}


def snapshot(step, content):
    """The metric gets worse with each step, so that step 1 stays the best."""
    tensors = {"weight": np.full(8, content, "float32")}
    metric = Metric(name="loss", value=float(step), better="lower")
    state = {"content": content}
    return Snapshot(step=step, tensors=tensors, metric=metric, training_tensors=tensors, training_state=state)


def prepare(path):
    """A run in which steps 1 and 2 are saved."""
    run = RunDirectory.create(path, {"config.yaml": "a: 1\n"})
    for step in (1, 2):
        run.save(snapshot(step, content=step))


def save(path, call, waste, step):
    run = RunDirectory.open(path)
    with RunLock(path):
        for _ in range(waste):
            with suppress(OSError):
                WASTE[call]()
        run.save(snapshot(step, content=99))


def in_child(function, path, *arguments):
    """Run `function` in a process of its own; its exit code, which is 5 for an OutputError."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        function(path, *arguments)
        code = 0
    except OutputError as error:
        path.with_suffix(".error").write_text(str(error))
        code = error.exit_code
    finally:
        os._exit(code)


def main(call, step, directory):
    for number in range(1, WHEN):
        path = directory / str(number)
        assert in_child(prepare, path) == 0
        code = in_child(save, path, call, WHEN - number, step)
        print(code)
        if code == 0:
            return


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
