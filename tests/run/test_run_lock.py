"""The lock of a run directory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from seqrnn.errors import LockedError, ModelError, OutputError
from seqrnn.run.lock import RunLock

HOLD = """
import sys, time
from pathlib import Path
from seqrnn.run.lock import RunLock
with RunLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_another_process_is_named_and_its_death_frees_the_run(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE) as owner:
        assert owner.stdout.readline() == b"held\n"
        with pytest.raises(LockedError, match=f"run in use by PID {owner.pid};"), RunLock(tmp_path):
            pass
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    with RunLock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_lock_is_free_after_the_block(tmp_path):
    with RunLock(tmp_path):
        pass
    with RunLock(tmp_path), pytest.raises(LockedError), RunLock(tmp_path):
        pass
    with RunLock(tmp_path):
        assert (tmp_path / "lock").is_file()


def test_a_lock_file_that_is_a_link_is_not_written_through(tmp_path):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "lock").symlink_to(tmp_path / "victim")
    with pytest.raises(ModelError, match="lock: is not a regular file; remove it"), RunLock(tmp_path):
        pass
    assert (tmp_path / "victim").read_text() == "precious"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_lock_file_that_is_no_file_is_named(make, tmp_path):
    make(tmp_path / "lock")
    with pytest.raises(ModelError, match="lock: is not a regular file; remove it"), RunLock(tmp_path):
        pass


def test_a_read_only_run_cannot_be_locked(read_only):
    with pytest.raises(OutputError, match="cannot be written: Permission denied"), RunLock(read_only):
        pass
