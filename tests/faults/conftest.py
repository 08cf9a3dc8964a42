"""Real trainings that something goes wrong with."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

EXAMPLES = "".join(f"{word} {turn}\t{word[0]}\n" for turn in range(20) for word in ("apple", "bread", "cake"))
SMALL = ["--hidden-size", "8", "--embedding-size", "8", "--threads", "1", "--early-stopping", "1000"]


@pytest.fixture
def folder(tmp_path):
    """Where the commands run, with good data in good.tsv."""
    (tmp_path / "good.tsv").write_text(EXAMPLES)
    return tmp_path


@pytest.fixture
def start(folder):
    """Starts `seqrnn train` with arguments, in the folder; `limit` is the largest file, in KiB."""
    env = {**os.environ, "SEQRNN_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}

    def popen(*args, limit="unlimited"):
        command = [sys.executable, "-m", "seqrnn", "train", *args, *SMALL]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        limited = ["bash", "-c", f'ulimit -f {limit}; exec "$@"', "bash", *command]
        return subprocess.Popen(limited, cwd=folder, env=env, text=True, errors="replace", **pipes)

    return popen


@pytest.fixture
def train(start):
    """Runs `seqrnn train` to its end: exit code, stdout, stderr."""

    def run(*args):
        process = start(*args)
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr

    return run
