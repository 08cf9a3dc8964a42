"""Standard error is a courtesy, standard output is not: what happens where one of them cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

import pytest

NOT_WRITABLE = {
    "full": "2>/dev/full",
    "closed": "2>&-",
    "left": "2> >(true)",  # nobody reads: a writer is told by EPIPE and, in C code, by SIGPIPE
}
NOISY = """
import ctypes, logging, os, sys, warnings
from seqrnn.cli.streams import prepare_streams
prepare_streams()
time = __import__("time"); time.sleep(0.3)  # the reader has left
from rich.console import Console
for turn in range(3):
    print("Python", file=sys.stderr, flush=True)
    sys.stderr.write("half a line")
    Console(stderr=True).print("rich")
    warnings.warn(f"library {turn}")
    logging.getLogger("library").error("logged")
    ctypes.CDLL(None).dprintf(2, b"C code\\n")
print("done")
"""


@pytest.mark.parametrize("how", NOT_WRITABLE)
def test_a_training_whose_progress_cannot_be_written_goes_on_to_its_end(how: str, shell, folder) -> None:
    run = f"unseen-{how}"
    result = shell(f"seqrnn train train.tsv -o {run} --steps 3 --hidden-size 4 {NOT_WRITABLE[how]}")
    assert result.returncode == 0
    assert [path.name for path in (folder / run).glob("gen-*")] == ["gen-00000003"]


@pytest.mark.parametrize("how", NOT_WRITABLE)
def test_other_commands_answer_whether_or_not_their_warnings_can_be_written(
    how: str, shell, classifier, tmp_path
) -> None:
    rows = tmp_path / "rows"
    rows.write_bytes(b"bright sun today\n\xff\n")  # of which there is a warning
    result = shell(f"seqrnn classify -m {classifier} {rows} {NOT_WRITABLE[how]}")
    assert (result.returncode, len(result.stdout.splitlines())) == (0, 2)


@pytest.mark.parametrize("how", NOT_WRITABLE)
def test_nothing_that_writes_to_stderr_ends_the_program(how: str, tmp_path) -> None:
    program = tmp_path / "noisy.py"
    program.write_text(NOISY)
    line = f"{sys.executable} {program} {NOT_WRITABLE[how]}"
    result = subprocess.run(["bash", "-c", line], capture_output=True, check=False, timeout=60)
    assert (result.returncode, result.stdout) == (0, b"done\n")


def test_what_is_written_to_a_stderr_that_works_arrives(tmp_path) -> None:
    program = tmp_path / "noisy.py"
    program.write_text(NOISY.replace("half a line", "x" * 100_000 + "\\n"))
    result = subprocess.run([sys.executable, program], capture_output=True, check=True, timeout=60)
    assert result.stderr.count(b"x" * 100_000) == 3
    assert all(
        result.stderr.count(word) >= 3 for word in (b"Python", b"rich", b"library", b"logged", b"C code")
    )


def test_a_reader_of_stderr_that_sleeps_is_waited_for_once_and_not_for_ever(tmp_path) -> None:
    quick = NOISY.replace("prepare_streams()", "streams._Stderr._patience = 0.5; prepare_streams()", 1)
    quick = quick.replace("ctypes.CDLL(None)", "0 and ctypes.CDLL(None)")  # which would wait
    program = tmp_path / "noisy.py"
    program.write_text("from seqrnn.cli import streams" + quick)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    fill(writer)
    os.set_blocking(writer, True)
    subprocess.run([sys.executable, program], stderr=writer, check=True, timeout=60)
    os.close(reader)
    os.close(writer)


def fill(pipe: int) -> None:
    """Write into a pipe that does not block until it takes no more."""
    with suppress(BlockingIOError):
        while True:
            os.write(pipe, b"x" * 4096)


@pytest.mark.parametrize("command", ["--help", "--version", "classify --help", ""])
def test_help_that_cannot_be_printed_is_an_error(command: str, shell) -> None:
    closed, full = shell(f"seqrnn {command} >&-"), shell(f"seqrnn {command} >/dev/full")
    assert (closed.returncode, full.returncode) == (5, 5)
    assert closed.stderr.startswith(b"seqrnn: error: stdout is closed; ")
    assert full.stderr == b"seqrnn: error: writing stdout: No space left on device\n"


def test_help_whose_reader_leaves_ends_by_sigpipe(shell) -> None:
    line = "seqrnn train --help | true; exit ${PIPESTATUS[0]}"
    assert (shell(line).returncode, shell(line).stderr) == (141, b"")
    result = shell(f"trap '' PIPE; {line}")
    assert (result.returncode, result.stderr) == (5, b"seqrnn: error: writing stdout: Broken pipe\n")


INTERRUPTED = """
import sys
from seqrnn.cli.streams import prepare_streams
prepare_streams()
def interrupt(frame, event, function):
    if event == "c_return" and function.__name__ == "write" and frame.f_code.co_name == "_write_part":
        sys.setprofile(None)
        raise KeyboardInterrupt  # where a signal's handler would raise it
try:
    sys.setprofile(interrupt)
    sys.{stream}.write("first\\n")
    sys.{stream}.flush()
except KeyboardInterrupt:
    sys.{stream}.write("second\\n")
else:
    sys.exit("not interrupted")
"""


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_a_signal_comes_upon_is_written_once(stream: str) -> None:
    program = [sys.executable, "-c", INTERRUPTED.format(stream=stream)]
    result = subprocess.run(program, capture_output=True, check=False, timeout=60)
    assert getattr(result, stream) == b"first\nsecond\n"
