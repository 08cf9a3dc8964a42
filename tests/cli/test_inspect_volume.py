"""`seqrnn inspect` of files of very different sizes: as much memory, and figures that are right."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys

import pytest

MEBIBYTE = 1 << 20
LABELS = [f"label{number}" for number in range(8)]


def write(path, size, of_labels):
    """Write rows of words until there are so many bytes; return how many rows these are."""
    draw = random.Random(1)
    words = [f"w{int(draw.paretovariate(0.7)) % 50_000}" for _ in range(200_000)]
    rows = written = 0
    with path.open("w", encoding="utf-8") as file:
        if of_labels:
            file.write("text,label\n")
        while written < size:
            lines = []
            for _ in range(5000):
                start, length = draw.randrange(len(words)), draw.randint(3, 30)
                text = (
                    " ".join(words[start : start + length])
                    + f" number {rows // 100 if rows % 100 == 0 else rows}"
                )
                lines.append(f'"{text}",{LABELS[rows % 8]}\n' if of_labels else f"{text}\n")
                rows += 1
            block = "".join(lines)
            file.write(block)
            written += len(block)
    return rows


def inspected(path, environment):
    """Return what is told of a file, and the largest memory of the process in MiB."""
    command = [
        sys.executable,
        "-m",
        "seqrnn",
        "inspect",
        str(path),
        "--json",
        "--no-probe",
        "--tokenizer",
        "word",
    ]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        content = process.stdout.read()
        _, process.returncode, usage = os.wait4(process.pid, 0)
    assert process.returncode == 0
    return json.loads(content), usage.ru_maxrss / 1024


@pytest.mark.slow
@pytest.mark.parametrize("of_labels", [True, False], ids=["csv", "text"])
def test_a_file_of_1_gb_takes_the_memory_of_one_of_100_mb(tmp_path, environment, of_labels):
    peaks = []
    for size in (100 * MEBIBYTE, 1000 * MEBIBYTE):
        path = tmp_path / ("large.csv" if of_labels else "large.txt")
        rows = write(path, size, of_labels)
        told, peak = inspected(path, environment)
        path.unlink()
        peaks.append(peak)
        examples = told["examples"]
        assert examples["one_in"] > 1
        read = (examples["train"] + examples["valid"]) * examples["one_in"]
        assert read == pytest.approx(rows, rel=0.05)
        assert told["repeats"]["records"] == rows + of_labels
        if of_labels:
            counts = told["answers"]["train"]["labels"]["counts"]
            shares = [count / examples["train"] for count in counts.values()]
            assert shares == pytest.approx([1 / 8] * 8, rel=0.05)
    assert peaks[1] < peaks[0] + 64
