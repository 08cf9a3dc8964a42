"""Rows by the hundred thousand: as many answers, in order, in the memory that a few take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest


def send(process, rows):
    """Write rows from a thread of its own, so that the answers can be read meanwhile."""

    def write():
        with process.stdin:
            for number in range(rows):
                process.stdin.write(b"warm soup %d\n" % number if number % 7 else b"\n")

    threading.Thread(target=write, daemon=True).start()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(classifier, environment, folder) -> None:
    peaks = []
    for rows in (10_000, 1_000_000):
        command = [sys.executable, "-m", "seqrnn", "classify", "-m", classifier, "--quiet"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(command, env=environment, cwd=folder, **pipes)
        send(process, rows)
        with process.stdout:
            assert sum(1 for _ in process.stdout) == rows
        _, process.returncode, usage = os.wait4(process.pid, 0)
        assert process.returncode == 0
        peaks.append(usage.ru_maxrss)
    assert peaks[1] - peaks[0] <= 16 * 1024  # kilobytes


def test_a_fast_producer_gets_its_rows_back_in_order_whatever_the_threads(classifier, seqrnn) -> None:
    rows = [b"warm soup " * (number % 9) + b"%d" % number for number in range(9_000)]
    rows[17], rows[4_100], rows[8_000] = b"", b"\xff", b"soup " * 5_000
    answers = []
    for threads in ("1", "2"):
        options = ("classify", "-m", classifier, "--jsonl", "--quiet", "--threads", threads)
        result = seqrnn(*options, stdin=b"\n".join(rows))
        assert result.returncode == 0
        answers.append(result.stdout)
    assert answers[0] == answers[1]
    records = [json.loads(line) for line in answers[0].splitlines()]
    assert [record["id"] for record in records] == list(range(9_000))
    assert [record["text"].encode() for record in records] == [
        *rows[:4_100],
        "\ufffd".encode(),
        *rows[4_101:],
    ]


def test_a_slow_consumer_stops_the_producer(classifier, environment, folder) -> None:
    command = [sys.executable, "-m", "seqrnn", "classify", "-m", classifier, "--quiet"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, env=environment, cwd=folder, bufsize=0, **pipes)
    sent = []  # bytes

    def write():
        with suppress(BrokenPipeError):
            while sum(sent) < 200 << 20:
                sent.append(process.stdin.write(b"rain over the hills\n" * 1_000))

    writer = threading.Thread(target=write)
    writer.start()
    assert process.stdout.readline() == b"weather\n"
    before = -1
    while before != len(sent):  # until nothing is taken any more
        before = len(sent)
        time.sleep(3)
    process.kill()
    writer.join()
    process.communicate()
    assert sum(sent) < 10 << 20
