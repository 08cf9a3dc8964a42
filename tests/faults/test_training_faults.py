"""Trainings that are interrupted, doubled, diverge or have no place to be saved."""

from __future__ import annotations

import re
import signal
import time

import pytest

LONG = ("--steps", "1000000", "--evaluate-every", "5")


def weights(run, step: int) -> bytes:
    return (run / f"gen-{step:08d}" / "model.safetensors").read_bytes()


def wait_for_an_evaluation(run) -> None:
    deadline = time.monotonic() + 60
    while not (run / "metrics.jsonl").exists():
        assert time.monotonic() < deadline, "the training did not begin"
        time.sleep(0.01)


def test_an_interrupted_training_is_saved_and_goes_on_as_if_it_had_not_been(folder, start, train) -> None:
    options = ("--evaluate-every", "5", "--schedule", "constant", "--warmup", "0")
    process = start("good.tsv", "-o", "run", "--steps", "1000000", *options)
    wait_for_an_evaluation(folder / "run")
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (130, "")
    *_, stopped, saved = stderr.splitlines()
    assert stopped.endswith(": SIGINT came")
    assert saved == "saved in run; continue with: seqrnn train -o run --resume"
    end = int(re.match(r"([\d,]+) updates", stopped)[1].replace(",", "")) + 7
    code, _, stderr = train("-o", "run", "--resume", "--steps", str(end), "-q")
    assert (code, stderr) == (0, "")
    assert train("good.tsv", "-o", "whole", "--steps", str(end), *options)[0] == 0
    assert weights(folder / "run", end) == weights(folder / "whole", end)


def test_a_place_in_use_is_left_alone_and_a_termination_saves(folder, start, train) -> None:
    process = start("good.tsv", "-o", "run", *LONG)
    wait_for_an_evaluation(folder / "run")
    for how in ("--overwrite", "--resume"):
        code, stdout, stderr = train("good.tsv", "-o", "run", how, "--steps", "1000000")
        assert (code, stdout, stderr.count("\n")) == (7, "", 1), stderr
        assert f"run in use by PID {process.pid}" in stderr
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "SIGTERM" in stderr
    assert list((folder / "run").glob("gen-*"))


def test_a_second_interruption_leaves_at_once(folder, start) -> None:
    process = start("good.tsv", "-o", "run", *LONG)
    wait_for_an_evaluation(folder / "run")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - started < 10


def test_a_training_that_diverges_ends_with_6_and_says_what_to_try(train) -> None:
    code, stdout, stderr = train(
        "good.tsv", "-o", "run", "--learning-rate", "1e30", "--clip", "0", "--epochs", "30"
    )
    assert (code, stdout) == (6, "")
    *_, last = stderr.splitlines()
    assert last.startswith("seqrnn: error: ")
    assert "rate" in last


@pytest.mark.parametrize(
    ("place", "code", "words"),
    [
        ("good.tsv/run", 5, "cannot be written"),
        ("/proc/run", 5, "cannot be written"),
        ("full", 2, "is not empty"),
    ],
)
def test_a_place_that_will_not_do_is_refused_before_anything_is_read(
    folder, train, place, code, words
) -> None:
    (folder / "full").mkdir()
    (folder / "full" / "thesis.txt").write_text("mine")
    exit_code, stdout, stderr = train("absent.tsv", "-o", place)
    assert (exit_code, stdout, stderr.count("\n")) == (code, "", 1)
    assert words in stderr
    assert (folder / "full" / "thesis.txt").read_text() == "mine"


def test_a_disk_that_is_full_before_the_first_step_leaves_no_directory(folder, train, start) -> None:
    code, _, _ = train("good.tsv", "--dry-run")  # the data are prepared
    assert code == 0
    limited = start("good.tsv", "-o", "new/run", limit=1)
    stderr = limited.communicate(timeout=60)[1]
    assert (limited.returncode, stderr.count("\n")) == (5, 1)
    assert "File too large" in stderr
    assert not (folder / "new").exists()
