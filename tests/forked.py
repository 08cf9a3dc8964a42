"""Runs commands as children of a process that has imported what they need: that takes longer than they do.

Such a child is a process as any other, with its own arguments, environment, directory and standard streams.
`python forked.py SOCKET KIND` is the process that forks; `Forker` is its client. One kind has PyTorch, the
other has not: commands that answer do without, and shall not find it there.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from threading import Thread

import seqrnn
from seqrnn.__main__ import main
from seqrnn.cli.app import load_command

COMMANDS = {
    "torch": ("train", "tune", "evaluate", "report", "explain", "prepare"),
    "numpy": ("classify", "generate", "compare", "inspect", "init"),
}
"""Commands by what they begin to import."""

MODULES = {
    "torch": (
        "torch._dynamo",
        "sklearn.metrics",
        "sacrebleu.metrics",
        "rapidfuzz.distance",
        "scipy.optimize",
    ),
    "numpy": (),
}
"""What PyTorch and others import when they are first used, and functions of seqrnn when they are called."""

NEEDING_TORCH = ("seqrnn.training.", "seqrnn.backends.torch.", "seqrnn.sklearn")


def kind_of(arguments: Sequence[str], folder: Path) -> str | None:
    """Return which kind of process runs a command; None for one that needs an interpreter of its own."""
    if not arguments or {"-h", "--help"}.intersection(arguments):
        return None
    if arguments[0] == "inspect" and not any((folder / name / "config.yaml").exists() for name in arguments):
        return "torch"  # of data, a training is tried
    return next((kind for kind, commands in COMMANDS.items() if arguments[0] in commands), None)


COMMAND = Path(__file__).with_name("forked_command.py")
LARGEST = 1 << 20  # bytes of a request


class Forker:
    """A process that runs `seqrnn` in children."""

    def __init__(self, environment: Mapping[str, str], directory: Path, kind: str = "torch") -> None:
        self._path = str(directory / "forker")
        self.command = [sys.executable, "-S", "-E", str(COMMAND), self._path]
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._path, kind],
            env=environment,
            stdin=subprocess.PIPE,  # it ends with this pipe
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def run(
        self, arguments: Sequence[str], stdin: bytes, environment: Mapping[str, str], folder: Path
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end."""
        given, writing = os.pipe()
        Thread(target=_write, args=(writing, stdin), daemon=True).start()
        with (
            open(given, "rb") as pipe,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            socket.socket(socket.AF_UNIX) as connection,
        ):
            connection.settimeout(60)
            connection.connect(self._path)
            request = json.dumps([list(arguments), dict(environment), str(folder)]).encode()
            streams = [pipe.fileno(), out.fileno(), err.fileno()]
            socket.send_fds(connection, [request], streams)
            pipe.close()  # so that a child that reads no more breaks it
            code = int(connection.recv(16))
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess([*arguments], code, out.read(), err.read())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


def _write(pipe: int, content: bytes) -> None:
    with suppress(BrokenPipeError), open(pipe, "wb") as file:
        file.write(content)


def serve(path: str) -> None:
    """Fork a child for each request, one after the other, and return in it; end with standard input."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        os.write(1, b"ready\n")
        while True:
            ready, *_ = select.select([listening, 0], [], [])
            if 0 in ready:
                os._exit(0)
            connection, _ = listening.accept()
            request, streams, *_ = socket.recv_fds(connection, LARGEST, 3)
            child = os.fork()
            if not child:
                connection.close()
                break
            for stream in streams:
                os.close(stream)
            _, status = os.waitpid(child, 0)
            connection.send(str(os.waitstatus_to_exitcode(status)).encode())
            connection.close()
    for standard, stream in enumerate(streams):
        os.dup2(stream, standard)
        os.close(stream)
    arguments, environment, folder = json.loads(request)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["seqrnn", *arguments]
    # Whoever puts others in their place does not close what is behind them.
    sys.stdin, sys.stdout, sys.stderr = (open(i, mode, closefd=False) for i, mode in enumerate("rww"))  # noqa: SIM115


def end_with(command: Callable[[], None]) -> None:
    """End the process as `command` does, but leave it to the system to free PyTorch, which takes long."""
    try:
        command()
    except SystemExit as end:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        if not isinstance(end.code, str):
            os._exit(end.code or 0)
        raise


def import_all(kind: str) -> None:
    """Import what the commands do, also what is imported where it is first used."""
    for name in MODULES[kind]:
        import_module(name)
    for module in walk_packages(seqrnn.__path__, "seqrnn."):
        if kind == "torch" or not module.name.startswith(NEEDING_TORCH):
            with suppress(ImportError):  # an extra that is not installed
                import_module(module.name)
    for command in COMMANDS[kind]:
        load_command(command)
    parse_once(COMMANDS[kind][0])
    assert kind == "torch" or "torch" not in sys.modules


def parse_once(command: str) -> None:
    """Let Typer import what it parses with; what it says goes nowhere."""
    sys.argv = ["seqrnn", command, "--no-such-option"]
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    with suppress(SystemExit):
        main()
    os.dup2(kept, 2)
    os.close(kept)


if __name__ == "__main__":
    path, kind = sys.argv[1:]
    import_all(kind)
    serve(path)
    end_with(main)
