"""Experiment trackers as they are: what `--log` tells them can be read back by their own packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READ_BACK = """
import json
from mlflow.tracking import MlflowClient
client = MlflowClient()
experiment = client.get_experiment_by_name("seqrnn").experiment_id
(run,) = client.search_runs([experiment])
print(json.dumps([run.info.run_name, run.info.status, run.data.params["training.steps"], run.data.metrics]))
"""

pytestmark = pytest.mark.recipes


def trained(folder, tracker):
    """Train in a folder, and return the last figures that the run has."""
    if find_spec(tracker) is None:
        pytest.skip(f"{tracker} is not installed: make recipes")
    settings = ["--steps", "20", "--evaluate-every", "10", "-o", "run", "--log", tracker]
    command = [sys.executable, "-m", "seqrnn", "train", str(ROOT / "sample_data/boats.train.csv"), *settings]
    environment = {**os.environ, "WANDB_MODE": "offline"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "keeps nothing more" not in done.stderr
    return json.loads((folder / "run/metrics.jsonl").read_text().splitlines()[1])


def test_mlflow_has_the_figures_in_its_database(tmp_path):
    last = trained(tmp_path, "mlflow")
    command = [sys.executable, "-c", READ_BACK]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    name, status, steps, metrics = json.loads(done.stdout.splitlines()[-1])
    assert (name, status, steps) == ("run", "FINISHED", "20")
    assert metrics["valid/accuracy"] == pytest.approx(last["accuracy"])
    assert metrics["valid/loss"] == pytest.approx(last["loss"])


def test_weights_and_biases_keeps_an_offline_run(tmp_path):
    trained(tmp_path, "wandb")
    (kept,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    assert kept.stat().st_size > 1000
