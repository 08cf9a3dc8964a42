"""Several workers of a training, as one command: `--workers`, and torchrun."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

SHORT = ("--steps", "6", "--evaluate-every", "3")


def one_line(result):
    lines = result.stderr.decode().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_two_workers_are_one_command(seqrnn, folder, small):
    result = seqrnn("train", "train.tsv", "-o", "two", "--workers", "2", *SHORT, *small)
    assert result.returncode == 0, result.stderr.decode()
    shown = result.stderr.decode()
    assert shown.count("6 updates in") == 1
    assert "saved in two; use it with: seqrnn classify -m two" in shown
    assert len((folder / "two" / "metrics.jsonl").read_text().splitlines()) == 3
    assert seqrnn("classify", "-m", "two", stdin=b"warm soup\n").returncode == 0
    again = seqrnn("train", "-o", "two", "--resume", "--steps", "8", *small)
    assert again.returncode == 0
    assert b"continuing from step 6" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("missing.tsv",), 3, "missing.tsv: "),
        (("train.tsv", "--folds", "3"), 2, "--folds trains with one worker; leave it out, or --workers"),
        (("-",), 2, "- is standard input, which one process can read"),
        (("train.tsv", "--hidden-size", "0"), 2, "--hidden-size 0: "),
    ],
)
def test_what_is_wrong_is_said_once(arguments, code, said, seqrnn, folder, small):
    result = seqrnn("train", *arguments, "-o", "none", "--workers", "2", *SHORT, stdin=b"a\tx\nb\ty\n" * 9)
    assert result.returncode == code
    assert one_line(result).startswith(f"seqrnn: error: {said}")
    assert not (folder / "none").exists()


def test_a_worker_that_lacks_the_data_ends_all(folder, environment, small, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    shared = {**environment, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    command = [sys.executable, "-m", "seqrnn", "train", "train.tsv", "-o", "lacking", *SHORT, *small]
    workers = [
        subprocess.Popen(command, env={**shared, "RANK": rank}, cwd=place, stderr=subprocess.PIPE)
        for rank, place in (("0", folder), ("1", tmp_path))
    ]
    errors = [worker.communicate(timeout=60)[1].decode() for worker in workers]
    assert [worker.returncode for worker in workers] == [3, 3]
    assert "error" not in errors[0]
    assert errors[1].startswith("seqrnn: error: train.tsv: ")
    assert not (folder / "lacking").exists()


@pytest.mark.slow  # six interpreters with PyTorch, one after the other
def test_torchrun_starts_a_killed_worker_again(folder, environment, small):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["--max-restarts", "1", "-m", "seqrnn", "train", "train.tsv", "-o", "elastic"]
    command += ["--steps", "400", "--evaluate-every", "100", *small]
    with subprocess.Popen(command, env=environment, cwd=folder, stderr=subprocess.PIPE) as torchrun:
        run = folder / "elastic"
        while torchrun.poll() is None and not list(run.glob("gen-*[0-9]")):
            time.sleep(0.02)
        os.kill(_follower(torchrun.pid), signal.SIGKILL)
        shown = torchrun.communicate(timeout=120)[1].decode()
    assert torchrun.returncode == 0, shown
    assert "continuing from step " in shown
    steps = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert steps[:4] == [100, 200, 300, 400]


def _follower(parent):
    """The process of the worker of rank 1."""
    children = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, check=True).stdout.split()
    for child in children:
        with open(f"/proc/{int(child)}/environ", "rb") as file:
            if b"RANK=1" in file.read().split(b"\0"):
                return int(child)
    raise AssertionError("no such worker")
