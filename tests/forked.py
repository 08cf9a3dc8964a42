"""Runs commands that need PyTorch as children of a process that has imported it: two seconds less for each.

Such a child is a process as any other, with its own arguments, environment, directory and standard streams,
and ends as an interpreter ends. `python forked.py SOCKET` is the process that forks; `Forker` is its client.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from seqrnn.__main__ import main
from seqrnn.cli.app import load_command

IMPORTED = ("train", "tune", "evaluate", "report", "explain")
"""Commands that begin with the import of PyTorch."""

COMMAND = Path(__file__).with_name("forked_command.py")
LARGEST = 1 << 20  # bytes of a request


class Forker:
    """A process that runs `seqrnn` in children."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        self._path = str(directory / "forker")
        self.command = [sys.executable, "-S", "-E", str(COMMAND), self._path]
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._path],
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
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            socket.socket(socket.AF_UNIX) as connection,
        ):
            given.write(stdin)
            given.seek(0)
            connection.settimeout(60)
            connection.connect(self._path)
            request = json.dumps([list(arguments), dict(environment), str(folder)]).encode()
            streams = [given.fileno(), out.fileno(), err.fileno()]
            socket.send_fds(connection, [request], streams)
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


def import_all() -> None:
    """Import what the commands do, also what PyTorch and others import when they are first used."""
    for name in ("torch._dynamo", "sklearn.metrics", "sacrebleu.metrics", "rapidfuzz.distance"):
        import_module(name)
    for name in (
        "seqrnn.training.session",
        "seqrnn.library.measuring",
        "seqrnn.cli.folds",
        "seqrnn.reporting.page",
    ):
        import_module(name)
    for command in IMPORTED:
        load_command(command)


if __name__ == "__main__":
    import_all()
    serve(sys.argv[1])
    main()
