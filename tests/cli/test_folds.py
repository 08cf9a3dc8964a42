"""`train --folds K`: measured on each part in turn, then trained on all examples."""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import sys

import pytest
import yaml


@pytest.fixture(scope="module")
def folded(seqrnn, folder, small):
    """A training of 24 examples by three folds."""
    lines = (folder / "train.tsv").read_text().splitlines(keepends=True)
    (folder / "few.tsv").write_text("".join(lines[:24]))
    result = seqrnn("train", "few.tsv", "-o", "folded", "--folds", "3", "--steps", "20", *small)
    assert result.returncode == 0, result.stderr.decode()
    return result


def test_mean_and_deviation_of_the_folds_are_printed_and_kept(folder, folded) -> None:
    found = json.loads((folder / "folded" / "folds.json").read_text())
    assert found["folds"] == 3
    sizes = [fold["examples"] for fold in found["each"]]
    assert sum(sizes) == 24
    assert set(sizes) <= {7, 8, 9}
    for name in ("loss", "accuracy", "macro_f1", "micro_f1"):
        values = [fold[name] for fold in found["each"]]
        assert found["mean"][name] == pytest.approx(statistics.mean(values))
        assert found["standard_deviation"][name] == pytest.approx(statistics.stdev(values))
    lines = folded.stderr.decode().splitlines()
    assert sum(line.startswith("fold ") and " of 3: loss " in line for line in lines) == 3
    (row,) = (line for line in lines if line.startswith("accuracy"))
    assert f"{found['mean']['accuracy']:.2%}" in row
    assert f"± {found['standard_deviation']['accuracy']:.2%}" in row


def test_what_is_kept_is_trained_on_all_examples(seqrnn, folded, newest_weights, small) -> None:
    whole = ("few.tsv", "-o", "whole", "-q", "--valid-fraction", "0", "--steps", "20", *small)
    assert seqrnn("train", *whole).returncode == 0
    assert newest_weights("folded") == newest_weights("whole")


def test_a_budget_is_shared_by_all_trainings(seqrnn, folder) -> None:
    printed = seqrnn("train", "train.tsv", "--folds", "4", "--budget", "1m", "--dump-config")
    settings = yaml.safe_load(printed.stdout)
    assert settings["training"]["budget"] == "12.000s"
    assert settings["data"]["valid_fraction"] == 0


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["story.txt", "--folds", "3"], 2, "--folds divides examples, but this is one text"),
        (["train.tsv", "--folds", "289"], 3, "--folds 289: there are only 288 examples; use at most 288"),
        (["train.tsv", "--folds", "3", "--valid", "test.tsv"], 2, "--valid test.tsv: --folds holds out each"),
        (["train.tsv", "--folds", "3", "--early-stopping", "2"], 2, "--early-stopping and --schedule plat"),
        (["train.tsv", "--folds", "3", "--resume"], 2, "--resume and --folds exclude each other"),
        (["train.tsv", "--folds", "3", "--init-from", "x"], 2, "--init-from and --folds exclude each other"),
        (["train.tsv", "--folds", "1"], 2, "--folds: must be at least 2"),
    ],
)
def test_what_has_no_folds_is_refused(seqrnn, folder, options: list[str], code: int, said: str) -> None:
    result = seqrnn("train", *options, "-o", "unfolded")
    (line,) = result.stderr.decode().splitlines()
    assert result.returncode == code
    assert line.startswith(f"seqrnn: error: {said}")
    assert not (folder / "unfolded").exists()


def test_an_interrupt_between_folds_leaves_nothing(folder, environment, folded) -> None:
    options = ["-o", "interrupted", "--folds", "3", "--steps", "100000", "--hidden-size", "4"]
    command = [sys.executable, "-m", "seqrnn", "train", "few.tsv", *options]
    with subprocess.Popen(command, env=environment, cwd=folder, stderr=subprocess.PIPE) as process:
        said = [b""]
        while b"  step " not in said[-1]:
            said.append(process.stderr.readline())
            assert said[-1], said
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(30) == 130
    assert rest.endswith(b"stopped in fold 1 of 3; nothing is kept, begin again\n")
    assert not (folder / "interrupted").exists()
