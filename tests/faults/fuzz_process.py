"""Runs a command in a child that is forked from a process which has imported everything.

What a fresh interpreter needs two seconds for takes some hundredths this way. The child is bound in
memory, processor time and file sizes, and may neither start a process nor open a socket nor load a pickle.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import os
import pkgutil
import resource
import select
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

SECONDS = 10  # of the processor: more is a hang
PATIENCE = 60.0  # seconds by the clock: a child that waits for something uses no processor
ROOM = 1 << 30  # bytes of addresses beyond those of the warm process
LARGEST_FILE = 64 << 20
FORBIDDEN = frozenset(
    {"pickle.find_class", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect"}
)
FORBIDDEN_CODE = 99


@dataclass(frozen=True)
class Outcome:
    """How a command ended: `code` is negative for a signal, `peak` the most memory it held, in bytes."""

    code: int
    stdout: bytes
    stderr: str
    peak: int
    hung: bool


def warm_up() -> None:
    """Import all of seqrnn and what it imports late, so that children find it there."""
    import seqrnn

    for module in pkgutil.walk_packages(seqrnn.__path__, "seqrnn."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    late = (
        "onnx",
        "onnxruntime",
        "PIL.Image",
        "PIL.PpmImagePlugin",
        "sacrebleu",
        "rapidfuzz",
        "rich.progress",
    )
    for name in (*late, "sklearn.metrics", "torch._dynamo", "threadpoolctl"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    from seqrnn.cli.app import COMMANDS, load_command

    for name in COMMANDS:
        load_command(name)
    gc.collect()
    gc.freeze()


def run(arguments: Sequence[str], room: int = ROOM) -> Outcome:
    """Run `seqrnn` with these arguments in a child."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if not child:
            _become_the_command(arguments, out.fileno(), err.fileno(), room)
        hung = not _wait(child)
        if hung:
            os.kill(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
        out.seek(0)
        err.seek(0)
        code = os.waitstatus_to_exitcode(status)
        hung = hung or code == -signal.SIGXCPU
        text = err.read().decode(errors="replace")
        return Outcome(code, out.read(), text, usage.ru_maxrss * 1024, hung)


def _wait(child: int) -> bool:
    """Wait for a child; whether it ended in time."""
    descriptor = os.pidfd_open(child)
    try:
        return bool(select.select([descriptor], [], [], PATIENCE)[0])
    finally:
        os.close(descriptor)


def _become_the_command(arguments: Sequence[str], out: int, err: int, room: int) -> None:
    code = 98
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        for descriptor, standard in ((nothing, 0), (out, 1), (err, 2)):
            os.dup2(descriptor, standard)
        _bind(room)
        faulthandler.enable()
        sys.addaudithook(_forbid)
        code = _main(arguments)
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def _main(arguments: Sequence[str]) -> int:
    from seqrnn.cli.app import app
    from seqrnn.cli.stdio import prepare_streams

    prepare_streams()
    try:
        app(list(arguments), prog_name="seqrnn")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _bind(room: int) -> None:
    with open("/proc/self/statm") as file:
        addresses = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (addresses + room, addresses + room))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _forbid(event: str, _: object) -> None:
    if event in FORBIDDEN:
        os.write(2, f"forbidden: {event}\n".encode())
        os._exit(FORBIDDEN_CODE)
