"""`seqrnn.train(workers=N)`: the training of `--workers`, led by a program that goes on afterwards."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import seqrnn
from seqrnn.library import training

SMALL = {"task": "classification", "hidden_size": 6, "embedding_size": 5, "precision": "fp32"}
NO_DROPOUT = {"dropout": 0, "embedding_dropout": 0, "word_dropout": 0, "ngram_dropout": 0}
SHORT = {**SMALL, **NO_DROPOUT, "steps": 6, "evaluate_every": 3}


@pytest.fixture
def data(library_folder):
    return library_folder / "train.tsv"


def descriptors() -> int:
    """How many files and sockets are open that somebody still wants."""
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def children():
    """What tells the processes that this one has started since."""
    others = set(_children())
    return lambda: [child for child in _children() if child not in others]


def _children() -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(os.getpid())], capture_output=True, check=False).stdout.split()
    return [int(child) for child in found if b"pgrep" not in Path(f"/proc/{int(child)}/cmdline").read_bytes()]


def test_two_workers_train_what_one_does_and_leave_nothing(data, tmp_path, capfd, children):
    alone = seqrnn.train(data, tmp_path / "one", threads=1, **SHORT)
    both = seqrnn.train(data, tmp_path / "two", workers=2, **SHORT)
    assert both.figures["loss"] == pytest.approx(alone.figures["loss"], rel=1e-4)
    assert [event.step for event in both.history] == [3, 6]
    # Gloo and libraries have made once what they keep.
    threads, environment, before = torch.get_num_threads(), dict(os.environ), descriptors()
    further = seqrnn.train(None, tmp_path / "two", resume=True, workers=2, steps=8)
    assert further.step == 8
    changed = {name for name, value in os.environ.items() if environment.get(name) != value}
    assert changed <= {"TORCHINDUCTOR_CACHE_DIR"}  # which PyTorch sets
    assert (torch.get_num_threads(), descriptors()) == (threads, before)
    assert not torch.distributed.is_initialized()
    assert children() == []
    assert capfd.readouterr() == ("", "")


def test_prepared_data_are_read_by_all_workers(data, tmp_path, monkeypatch):
    monkeypatch.chdir(data.parent)
    command = [sys.executable, "-m", "seqrnn", "prepare", "train.tsv", "-o", str(tmp_path / "P"), "-q"]
    subprocess.run(command, check=True)
    monkeypatch.chdir(tmp_path)  # where the files are not
    of_files = seqrnn.train(data, "of-files", threads=1, **SHORT)
    of_directory = seqrnn.train("P", "of-directory", workers=2, **SHORT)
    assert of_directory.figures["loss"] == pytest.approx(of_files.figures["loss"], rel=1e-4)


def test_a_worker_that_is_killed_ends_the_training(data, tmp_path, children):
    def kill(event):
        if isinstance(event, seqrnn.Stepped) and event.step == 2:
            os.kill(children()[0], signal.SIGKILL)

    with pytest.raises(seqrnn.OutputError, match=r"worker 1 of 2 has ended \(SIGKILL\)") as lost:
        seqrnn.train(data, tmp_path / "run", workers=2, callback=kill, **{**SHORT, "steps": 500})
    assert "continue with `resume`" in str(lost.value)
    assert not torch.distributed.is_initialized()
    assert children() == []


def test_what_another_worker_says_is_raised(data, tmp_path, monkeypatch):
    """The leading worker has read a file that is gone when the other looks for it."""
    copied = tmp_path / "copied.tsv"
    copied.write_bytes(data.read_bytes())

    begin = training.begin

    def begin_and_remove(*arguments):
        begun = begin(*arguments)
        copied.unlink()
        return begun

    monkeypatch.setattr(training, "begin", begin_and_remove)
    with pytest.raises(seqrnn.DataError, match=re.escape(f"{copied}: ")):
        seqrnn.train(copied, tmp_path / "run", workers=2, **SHORT)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"workers": 0}, "`workers=0`: must be a whole number from 1 to 1024"),
        ({"workers": "2"}, "`workers='2'`: must be a whole number"),
        ({"workers": 2, "valid": "-"}, "- is standard input, which one process can read"),
    ],
)
def test_what_several_workers_cannot_do_is_told_first(data, tmp_path, children, more, told):
    with pytest.raises(seqrnn.UsageError, match=re.escape(told)):
        seqrnn.train(data, tmp_path / "run", **SHORT, **more)
    assert children() == []
