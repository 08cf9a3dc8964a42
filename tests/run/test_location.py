"""Which path is a run directory, and what is said of one that is not."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from seqrnn.errors import ModelError, OutputError, UsageError
from seqrnn.run.checkpoint import Snapshot
from seqrnn.run.directory import RunDirectory
from seqrnn.run.location import check_free


@pytest.fixture
def run(tmp_path):
    run = RunDirectory.create(tmp_path / "run", {"config.yaml": "a: 1\n"})
    run.save(Snapshot(step=1, tensors={"w": np.zeros(1)}))
    return run.path


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("../none", "no such run directory"),
        ("..", "holds runs, give one of them: run$"),
        ("gen-00000001", "is a part of a run; give /.*/run$"),
        ("gen-00000001/model.safetensors", "is a part of a run; give /.*/run$"),
        ("config.yaml", "is a part of a run; give /.*/run$"),
        ("../../empty", "is no run directory: it has no config.yaml; give the one that training made"),
        ("../model.pt", "pickles are never opened"),
        ("../model.onnx", "is a file; give the run directory"),
    ],
)
def test_what_is_no_run_is_told_what_it_is(run, inside, reason):
    (run.parent.parent / "empty").mkdir(exist_ok=True)
    (run.parent / "model.pt").write_bytes(b"")
    (run.parent / "model.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match=reason):
        RunDirectory.open(Path(os.path.normpath(run / inside)))


def test_a_new_or_empty_directory_is_free(tmp_path):
    check_free(tmp_path)
    check_free(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_in_use_is_refused_with_the_ways_on(run):
    with pytest.raises(UsageError, match=r"`resume`.*`init_from`.*`overwrite`"):
        check_free(run)
    check_free(run, overwrite=True)


def test_a_file_is_no_place_for_a_run(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        check_free(tmp_path / "file", overwrite=True)
    with pytest.raises(OutputError, match="Not a directory"):
        check_free(tmp_path / "file" / "run")


def test_files_of_another_program_are_not_overwritten(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UsageError, match=r"holds a tokenizer.json that no training wrote"):
        check_free(tmp_path, overwrite=True)


@pytest.mark.parametrize("below", [".", "new/run"])
def test_a_directory_that_cannot_be_written_is_refused_early(read_only, below):
    with pytest.raises(OutputError, match="cannot be written: Permission denied"):
        check_free(read_only / below)


def test_a_run_that_may_not_be_read_is_a_model_error(closed):
    for path in (closed, closed / "run"):
        with pytest.raises(ModelError, match="Permission denied"):
            RunDirectory.open(path)
