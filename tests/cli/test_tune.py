"""`seqrnn tune`: the best settings as a file that trains, their model, and a table for any terminal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
import yaml
from rich.cells import cell_len

from seqrnn.cli.tuning_console import report
from seqrnn.library.tuning import Trial
from seqrnn.run.manifest import Metric

SEARCH = ("--search", "learning_rate=0.02,0.0001,1e29", "--epochs", "12", "--budget", "20m")


@pytest.fixture(scope="module")
def tuned(seqrnn, folder, small):
    """A search of three rates, one of which diverges, over the examples."""
    arguments = ("train.tsv", "-o", "best.yaml", "--trials", "3", "--json", "--test", "test.tsv")
    result = seqrnn("tune", *arguments, *SEARCH, *small[:-2])
    assert result.returncode == 0, result.stderr.decode()
    return result


def test_each_trial_is_a_line_of_json_the_best_first(tuned) -> None:
    trials = [json.loads(line) for line in tuned.stdout.decode().splitlines()]
    assert [trial["settings"]["training.learning_rate"] for trial in trials] == [0.02, 0.0001, 1e29]
    assert trials[0]["accuracy"] > trials[1]["accuracy"]
    assert [trial["rung"] for trial in trials] == [2, 1, 1]
    assert trials[2]["failure"].startswith("step ")


def test_the_settings_are_a_file_that_trains_like_the_best_trial(seqrnn, folder, tuned) -> None:
    settings = yaml.safe_load((folder / "best.yaml").read_text())
    assert settings["training"]["learning_rate"] == 0.02
    lines = (folder / "best" / "metrics.jsonl").read_text().splitlines()
    assert settings["training"]["steps"] == max(json.loads(line)["step"] for line in lines)
    assert settings["training"]["budget"] is None, "which would have to pay for the start, too"
    assert settings["model"]["hidden_size"] == 12
    result = seqrnn("train", "-c", "best.yaml", "-o", "trained-anew")
    assert result.returncode == 0, result.stderr.decode()


def test_the_best_model_is_kept_with_what_was_measured(seqrnn, folder, tuned) -> None:
    answered = seqrnn("classify", "-m", "best", stdin=b"warm soup today\n")
    assert answered.stdout == b"food\n", answered.stderr.decode()
    assert json.loads((folder / "best" / "test.json").read_text())["figures"]["accuracy"] > 0.9
    assert "seqrnn" in (folder / "best" / "README.md").read_text()
    assert not list(folder.glob(".seqrnn-tune-*"))
    assert (
        tuned.stderr.decode().splitlines()[-1].startswith("micro F1") or b"test on test.tsv:" in tuned.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--budget", "9s"], 2, "no place for the settings; name a YAML file with -o"),
        (["-o", "x.yaml"], 2, "how long to search? Give the time for all trials with --budget 30m"),
        (
            ["-o", "best.yaml", "--budget", "9s"],
            2,
            "best.yaml: is there already; replace it with --over",
        ),
        (["-o", "x.yaml", "--run", "best", "--budget", "9s"], 2, "best: is not empty;"),
        (["-o", "x.yaml", "--budget", "9s", "--search", "seed=1,2"], 2, "--search seed=1,2: all trials have"),
        (["-o", "x.yaml", "--budget", "9s", "--valid-fraction", "0"], 2, "a search compares models on valid"),
        (["-o", "x.yaml", "--budget", "9s", "--trials", "0"], 2, "--trials: must be at least 1"),
    ],
)
def test_what_cannot_be_searched_is_refused(seqrnn, folder, tuned, arguments, code, said) -> None:
    result = seqrnn("tune", "train.tsv", *arguments)
    assert result.returncode == code
    assert result.stderr.decode().splitlines()[-1].startswith(f"seqrnn: error: {said}")
    assert not (folder / "x.yaml").exists()
    assert not (folder / "x").exists()


def test_an_interrupt_keeps_the_best_so_far(folder, environment, small) -> None:
    arguments = ["tune", "train.tsv", "-o", "interrupted.yaml", "--budget", "1h", "--epochs", "2", *small]
    command = [sys.executable, "-m", "seqrnn", *arguments, "--search", "num_layers=1,2,3"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, env=environment, cwd=folder, **pipes)
    assert any(line.startswith(b"rung 1 of 2, trial 1") for line in iter(process.stderr.readline, b""))
    process.send_signal(signal.SIGINT)
    table, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert table.decode().split()[:2] == ["trial", "accuracy"]
    assert b"kept in interrupted; train anew with: seqrnn train -c interrupted.yaml" in told
    assert yaml.safe_load((folder / "interrupted.yaml").read_text())["model"]["hidden_size"] == 12
    assert not list(folder.glob(".seqrnn-tune-*"))


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_table_fits_the_terminal(tmp_path, width) -> None:
    settings = {
        "training.learning_rate": 0.002,
        "model.hidden_size": 256,
        "training.batch_size": 32,
        "model.num_layers": 1,
        "model.dropout": 0.2,
        "model.cell": "lstm",
    }
    trials = [Trial(number, settings, tmp_path, 1, 10, 70.0) for number in range(1, 4)]
    trials[0].metric = Metric(name="accuracy", value=0.5, better="higher")
    trials[2].failure = "step 3: the loss was not finite"
    lines = report(trials, width).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert ("learning rate" in lines[0]) == (width == 140)
    assert "50.00%" in lines[1]
    assert "failed" in "".join(lines)
