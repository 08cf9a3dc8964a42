from __future__ import annotations

import fcntl
import json
import math
import os
import signal
import subprocess
import sys
import termios
import time

import pytest

from seqrnn.cli.stdio import OutputStream, json_line
from seqrnn.errors import NumericError, OutputError

ANSWER = """
import os, sys, types
from seqrnn.__main__ import main
from seqrnn.cli.stdio import OutputStream
module = types.ModuleType("seqrnn.cli.train")
def train(output: str = "") -> None:
    with OutputStream(output or None) as out:
        BODY
module.train = train
sys.modules["seqrnn.cli.train"] = module
sys.argv = ["seqrnn", "train", *sys.argv[1:]]
main()
"""
ENDLESS = "i = 0\n        while True: out.write_lines([f'line {i}'] * 1000); i += 1"
HELLO = "out.write_lines(['hello'])"


@pytest.fixture
def shell(tmp_path):
    """Runs a line of bash, in which $ANSWER is a program that does `body` with its output."""

    def run(line: str, body: str = ENDLESS, **environment: str) -> subprocess.CompletedProcess[bytes]:
        program = tmp_path / "answer.py"
        program.write_text(ANSWER.replace("BODY", body))
        env = {**os.environ, "ANSWER": f"{sys.executable} {program}", **environment}
        command = ["bash", "-c", line]
        return subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, check=False, timeout=60)

    return run


def wait_until_full(pipe: int) -> None:
    """Return when the writer of a pipe of 64 KiB can write no more."""
    waiting = 0
    deadline = time.monotonic() + 20
    while waiting < 50_000 and time.monotonic() < deadline:
        time.sleep(0.05)
        waiting = int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
    time.sleep(0.05)


def test_a_reader_that_leaves_ends_the_program_silently(shell) -> None:
    result = shell("$ANSWER | head -1; exit ${PIPESTATUS[0]}")
    assert (result.returncode, result.stdout, result.stderr) == (141, b"line 0\n", b"")


def test_a_parent_that_ignores_sigpipe_is_told_of_a_broken_pipe(shell) -> None:
    result = shell("trap '' PIPE; $ANSWER | head -1; exit ${PIPESTATUS[0]}")
    assert result.returncode == 5
    assert result.stderr == b"seqrnn: error: writing stdout: Broken pipe\n"


def test_a_full_device_is_named(shell) -> None:
    result = shell("$ANSWER > /dev/full", HELLO)
    assert result.returncode == 5
    assert result.stderr == b"seqrnn: error: writing stdout: No space left on device\n"


def test_a_closed_stdout_is_named(shell) -> None:
    result = shell("$ANSWER >&-", HELLO)
    assert result.returncode == 5
    assert result.stderr.startswith(b"seqrnn: error: stdout is closed")


def test_a_file_opened_later_never_takes_the_place_of_a_closed_stream(shell) -> None:
    result = shell("$ANSWER 0<&- 2>&-", "out.write_lines([str(os.open('/dev/null', os.O_RDONLY) > 2)])")
    assert (result.returncode, result.stdout) == (0, b"True\n")


def test_text_is_utf_8_under_every_locale(shell) -> None:
    for locale in ("C", "POSIX", "en_US.ISO-8859-1"):
        body = r"out.write_lines(['caf\u00e9 \U0001f600', 'half \ud800'])"
        result = shell("$ANSWER", body, LC_ALL=locale, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
        assert result.stdout == "café 😀\nhalf \\ud800\n".encode()


def test_lines_are_on_their_way_when_write_lines_returns(shell) -> None:
    body = HELLO + "; os.kill(os.getpid(), 9)"
    result = shell("$ANSWER | cat", body)
    assert result.stdout == b"hello\n"


@pytest.mark.parametrize(
    ("number", "width", "code"),
    [
        (signal.SIGINT, 7, 130),
        (signal.SIGINT, 10_000, 130),
        (signal.SIGTERM, 7, -signal.SIGTERM),
        (signal.SIGTERM, 10_000, -signal.SIGTERM),
        (signal.SIGKILL, 9, -signal.SIGKILL),  # nothing but the atomic write helps here
    ],
)
def test_a_signal_ends_the_program_on_a_whole_line(tmp_path, number, width: int, code: int) -> None:
    program = tmp_path / "answer.py"
    body = f"while True: out.write_lines(['x' * {width}] * 5000)"
    program.write_text(ANSWER.replace("BODY", body))
    process = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until_full(process.stdout.fileno())
    process.send_signal(number)
    time.sleep(0.2)  # it arrives while the program waits in the middle of a write
    stdout, stderr = process.communicate(timeout=30)
    assert set(stdout.split(b"\n")) == {b"x" * width, b""}
    assert stdout.endswith(b"\n")
    assert (process.returncode, stderr) == (code, b"")


def test_a_second_interruption_gets_through_to_a_program_whose_reader_sleeps(tmp_path) -> None:
    program = tmp_path / "answer.py"
    program.write_text(ANSWER.replace("BODY", "out.write_lines(['x' * 10_000_000])"))
    process = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.read(10) == b"x" * 10
    for _ in range(2):
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 130
    process.communicate()


def test_an_interrupted_text_ends_with_a_newline(shell) -> None:
    result = shell("$ANSWER", "out.write_text('Once upon'); raise KeyboardInterrupt")
    assert (result.returncode, result.stdout) == (130, b"Once upon\n")


def test_a_full_disk_leaves_no_half_line_in_a_file(shell, tmp_path) -> None:
    body = "signal = __import__('signal'); signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n        "
    result = shell("ulimit -f 8; $ANSWER --output out.txt", body + "out.write_lines(['x' * 98] * 200)")
    assert result.returncode == 5
    assert result.stderr == b"seqrnn: error: writing out.txt: File too large\n"
    written = (tmp_path / "out.txt").read_bytes()
    assert len(written) == 8192 // 99 * 99
    assert set(written.split(b"\n")) == {b"x" * 98, b""}


def test_a_file_is_replaced_and_an_impossible_one_is_named(tmp_path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old and longer\n")
    with OutputStream(str(path)) as out:
        out.write_lines(["a", "b\u2028c"])
    assert path.read_bytes() == "a\nb\u2028c\n".encode()
    with pytest.raises(OutputError, match=r"writing .*none/out: No such file"):
        OutputStream(str(tmp_path / "none" / "out"))


def test_a_pipe_that_does_not_block_gets_everything(tmp_path) -> None:
    program = tmp_path / "answer.py"
    program.write_text(ANSWER.replace("BODY", "out.write_lines(['x' * 99] * 10_000)"))
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    process = subprocess.Popen([sys.executable, program], stdout=writer)
    os.close(writer)
    wait_until_full(reader)
    with open(reader, "rb") as pipe:
        assert len(pipe.read()) == 1_000_000
    assert process.wait() == 0


def test_nan_becomes_null_and_ends_with_an_error(tmp_path) -> None:
    path = tmp_path / "out.jsonl"
    records = [{"score": math.nan, "nbest": [{"p": math.inf}, {"p": 0.5}]}, {"score": 1.0}]
    with pytest.raises(NumericError, match="1 records held nan"), OutputStream(str(path)) as out:
        out.write_json(records)
    written = [json.loads(line) for line in path.read_text().splitlines()]
    assert written == [{"score": None, "nbest": [{"p": None}, {"p": 0.5}]}, {"score": 1.0}]


def test_a_json_line_is_utf_8_without_escapes_and_refuses_nan() -> None:
    assert json_line({"text": "café\n"}) == '{"text": "café\\n"}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_line({"score": math.nan})


def test_half_a_surrogate_pair_survives_json(tmp_path) -> None:
    with OutputStream(str(tmp_path / "out")) as out:
        out.write_json([{"text": "\ud800"}])
    assert json.loads((tmp_path / "out").read_bytes()) == {"text": "\ud800"}


def test_escape_codes_are_shown_on_a_terminal_and_only_there(tmp_path) -> None:
    master, slave = os.openpty()
    program = tmp_path / "answer.py"
    program.write_text(ANSWER.replace("BODY", r"out.write_lines(['a\x1b[31m\tb'])"))
    subprocess.run([sys.executable, program], stdout=slave, check=True)
    assert os.read(master, 1000).split(b"\r\n")[0].split() == [rb"a\x1b[31m", b"b"]
    plain = subprocess.run([sys.executable, program], capture_output=True, check=True)
    assert plain.stdout == b"a\x1b[31m\tb\n"
    os.close(master)
    os.close(slave)
