"""A save that dies or fails in any system call leaves a run that can be read and trained on."""

from __future__ import annotations

import errno
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seqrnn.errors import OutputError
from seqrnn.run.checkpoint import Snapshot
from seqrnn.run.directory import RunDirectory
from seqrnn.run.lock import RunLock

SCRIPT = Path(__file__).parent / "save_in_children.py"
CALLS = ("fsync", "write", "mkdir", "rename", "unlink", "rmdir")
KEPT = {"config.yaml", "lock", "gen-00000001"}


def snapshot(step, size=8):
    return Snapshot(step=step, tensors={"weight": np.full(size, step, "float32")})


def strike(fault, call, step, directory):
    """Strike a save of `step` in its 1st, 2nd, ... `call`: the run of each, with its exit code."""
    command = ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", f"trace={call}", "-e", "signal=none"]
    command += ["-e", f"inject={call}:{fault}:when=100", sys.executable, SCRIPT, call, str(step), directory]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    codes = [int(code) for code in done.stdout.split()]
    assert codes.pop() == 0, "the last save is not struck"
    assert codes, f"no save made a {call}"
    return {directory / str(number): code for number, code in enumerate(codes, start=1)}


def assert_whole(path, step):
    """Before or after the save of `step`, never between; and a training can go on."""
    run = RunDirectory.open(path)
    newest = run.newest()
    content = newest.training_state()["content"]
    assert (newest.step, content) in {(2, 2), (step, 99)}
    for tensors in (newest.tensors(None), newest.training_tensors(None)):
        np.testing.assert_array_equal(tensors["weight"], np.full(8, content))
    assert run.best().step == 1
    with RunLock(path):
        run.sweep()
        run.save(snapshot(4))
    assert run.warnings == []
    assert {entry.name for entry in path.iterdir()} == KEPT | {"gen-00000004"}


def can_trace():
    strace = shutil.which("strace")
    return strace and subprocess.run([strace, "-o", "/dev/null", "true"], check=False).returncode == 0


needs_strace = pytest.mark.skipif(not can_trace(), reason="strace is not installed, or may not trace")


@needs_strace
@pytest.mark.parametrize("step", [3, 2], ids=["new-step", "same-step"])
@pytest.mark.parametrize("call", CALLS)
def test_a_save_killed_in_any_call_leaves_the_last_complete_checkpoint(tmp_path, call, step):
    for path, code in strike("signal=SIGKILL", call, step, tmp_path).items():
        assert code == -9
        assert_whole(path, step)


@needs_strace
@pytest.mark.parametrize(
    ("error", "call"),
    [(error, "write") for error in ("ENOSPC", "EDQUOT", "EFBIG", "EIO")]
    + [("ENOSPC", call) for call in ("fsync", "mkdir", "rename")],
)
def test_a_save_that_fails_in_any_call_says_so_and_takes_its_temporary_away(tmp_path, call, error):
    for path, code in strike(f"error={error}", call, 3, tmp_path).items():
        assert code == 5
        message = path.with_suffix(".error").read_text()
        assert os.strerror(getattr(errno, error)) in message
        if error != "EIO":
            assert re.search(r"step 3 needs about \d+ bytes, \d+ are free; make room", message)
        assert not list(path.glob("*.tmp"))
        assert_whole(path, 3)


@pytest.fixture
def run(tmp_path):
    run = RunDirectory.create(tmp_path / "run", {"config.yaml": "a: 1\n"})
    run.save(snapshot(1))
    return run


@pytest.fixture
def file_size_limit():
    """As `ulimit -f` sets it; Python ignores the signal that comes with the error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_may_not_grow_is_an_output_error_with_the_bytes(run, file_size_limit):
    file_size_limit(100_000)
    reason = r"File too large: step 2 needs about 4\d{5} bytes, \d+ are free"
    with pytest.raises(OutputError, match=reason):
        run.save(snapshot(2, size=100_000))
    assert {entry.name for entry in run.path.iterdir()} == KEPT
    assert run.newest().tensors(None)["weight"].tolist() == [1.0] * 8


def test_a_new_run_that_cannot_be_written_is_not_left_half(tmp_path, file_size_limit):
    file_size_limit(10)
    with pytest.raises(OutputError, match="File too large"):
        RunDirectory.create(tmp_path / "run", {"config.yaml": "a: 1\n", "labels.json": "x" * 100})
    assert list(tmp_path.iterdir()) == []


def test_each_file_is_on_the_disk_before_the_manifest_and_the_manifest_before_the_name(run, monkeypatch):
    """The order of failures.md, as the system calls show it."""
    order = []
    fsync, rename = os.fsync, Path.rename

    def spy_fsync(descriptor):
        order.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        fsync(descriptor)

    def spy_rename(path, target):
        if path.exists():
            order.append(f"{path.name} -> {target.name}")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(Path, "rename", spy_rename)
    run.save(Snapshot(step=2, tensors={"w": np.ones(1)}, training_tensors={}, training_state={}))
    assert order == [
        "model.safetensors",
        "training.safetensors",
        "training.json",
        "manifest.json",
        "gen-00000002.tmp",
        "gen-00000002.tmp -> gen-00000002",
        "run",
        "gen-00000001 -> gen-00000001.tmp",
    ]
