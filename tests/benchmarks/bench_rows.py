"""What rows cost in a pipeline: memory for many of them, and the wait for one of a slow producer."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from report import ROOT, write_section

FEW, MANY = 10_000, 1_000_000  # rows
SENT, EVERY = 21, 0.5  # rows of the slow producer, and seconds between them
TRAIN = ROOT / "sample_data" / "mails.train.tsv"
PYTHON = [sys.executable, "-m", "seqrnn"]


def train(run: Path, hidden_size: int) -> None:
    """Train a classifier a little."""
    sizes = ["--unidirectional", "--layers", "1", "--hidden-size", str(hidden_size), "--steps", "1", "-q"]
    subprocess.run([*PYTHON, "train", str(TRAIN), "-o", run, *sizes], check=True)


def peak_memory(run: Path, rows: int) -> tuple[float, float]:
    """Label that many rows from a pipe; return the most resident memory, MiB, and rows a second."""
    texts = [line.split("\t")[0] for line in TRAIN.read_text(encoding="utf-8").splitlines()]
    start = time.perf_counter()
    process = subprocess.Popen(
        [*PYTHON, "classify", "-m", run, "-q"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert process.stdin is not None
    for number in range(rows):
        process.stdin.write(f"{texts[number % len(texts)]} {number}\n".encode())
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return usage.ru_maxrss / 1024, rows / (time.perf_counter() - start)


def waits(run: Path) -> list[float]:
    """Return for each row of a slow producer the milliseconds until its answer, from the second row on."""
    command = [*PYTHON, "classify", "-m", str(run), "-q"]
    process = subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    found = []
    for number in range(SENT):
        start = time.perf_counter()
        process.stdin.write(f"My chain broke on day {number}, can you mend it?\n".encode())
        assert process.stdout.readline()
        found.append(1000 * (time.perf_counter() - start))
        time.sleep(EVERY)
    process.communicate()
    return found[1:]  # the first row has waited for the model


def main() -> None:
    """Measure and write down."""
    with tempfile.TemporaryDirectory() as directory:
        small, usual = Path(directory) / "small", Path(directory) / "usual"
        train(small, 32)
        train(usual, 256)
        rows = [["rows", "most memory, MiB", "rows/s, start-up included"]]
        peaks = []
        for count in (FEW, MANY):
            peak, speed = peak_memory(small, count)
            peaks.append(peak)
            rows.append([f"{count:,}", f"{peak:.1f}", f"{speed:,.0f}"])
        rows.append(["difference", f"{peaks[1] - peaks[0]:.1f}", ""])
        write_section("bench_rows.py", "Memory of `seqrnn classify` (LSTM 32)", rows)
        found = waits(usual)
    table = [["rows, one each 0.5 s", "median wait, ms", "longest wait, ms"]]
    table += [[str(len(found)), f"{statistics.median(found):.1f}", f"{max(found):.1f}"]]
    write_section("bench_rows.py", "The wait for an answer (LSTM 256)", table)


if __name__ == "__main__":
    main()
