"""Trackers hear of a training through one listener; packages are stood in for, except TensorBoard's."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from seqrnn.config import Config
from seqrnn.errors import UsageError
from seqrnn.training import trackers
from seqrnn.training.events import Evaluated, Finished, Stepped
from seqrnn.training.trackers import check_trackers, tracked

EVENTS = [
    *(Stepped(step, step / 10, 0.5, 2.0, 0.01, 9, 0.0, 1.0, step == 20) for step in range(1, 31)),
    Evaluated(30, 3.0, 1.0, 1.5, {"task": "classification", "loss": 1.25, "accuracy": 0.5}, True, "accuracy"),
    Finished(30, 1.0, "the training is complete"),
]
TOLD = [
    (10, {"train/loss": 2.0, "train/learning_rate": 0.01, "train/epoch": 1.0}),
    (30, {"train/loss": 2.0, "train/learning_rate": 0.01, "train/epoch": 3.0}),
    (30, {"valid/loss": 1.25, "valid/accuracy": 0.5, "train/mean_loss": 1.5}),
]


@pytest.fixture
def config():
    return Config(task="classification")


@pytest.fixture
def packages(monkeypatch):
    """Packages of trackers that write down what they are told."""
    told = {"mlflow": [], "wandb": [], "settings": {}, "closed": []}
    mlflow = ModuleType("mlflow")
    mlflow.set_experiment = lambda name: None
    mlflow.start_run = lambda run_name: told["settings"].update(mlflow=run_name)
    mlflow.log_params = told["settings"].update
    mlflow.log_metrics = lambda metrics, step: told["mlflow"].append((step, metrics))
    mlflow.end_run = lambda: told["closed"].append("mlflow")
    wandb = ModuleType("wandb")
    wandb.init = lambda project, name, config: SimpleNamespace(
        log=lambda metrics, step: told["wandb"].append((step, metrics)),
        finish=lambda: told["closed"].append("wandb"),
    )
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    return told


def test_each_tracker_is_told_the_same_and_closed_at_the_end(packages, config, tmp_path):
    said = []
    assert list(tracked(EVENTS, ["mlflow", "wandb", "mlflow"], tmp_path, config, said.append)) == EVENTS
    assert packages["mlflow"] == packages["wandb"] == TOLD
    assert packages["settings"]["mlflow"] == tmp_path.name
    assert packages["settings"]["task"] == "classification"
    assert "training.learning_rate" in packages["settings"]
    assert packages["closed"] == ["mlflow", "wandb"]
    assert said == []


def test_a_tracker_that_fails_is_left_out_and_the_training_goes_on(packages, config, tmp_path):
    def fail(metrics, step):
        raise ConnectionError("the server is gone")

    sys.modules["mlflow"].log_metrics = fail
    said = []
    assert list(tracked(EVENTS, ["mlflow", "wandb"], tmp_path, config, said.append)) == EVENTS
    assert said == ["mlflow keeps nothing more of this training: ConnectionError: the server is gone"]
    assert packages["wandb"] == TOLD
    sys.modules["wandb"].init = fail
    assert list(tracked(EVENTS, ["wandb"], tmp_path, config, said.append)) == EVENTS
    assert said[1].startswith("wandb keeps nothing more of this training: TypeError")


def test_a_training_that_ends_early_closes_its_trackers(packages, config, tmp_path):
    events = tracked(EVENTS, ["wandb"], tmp_path, config, print)
    next(events)
    events.close()
    assert packages["closed"] == ["wandb"]


def test_what_is_missing_is_told_before_the_training(monkeypatch):
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    with pytest.raises(
        UsageError, match=r"`log=wandb`: needs wandb; install it with: pip install 'seqrnn\[wandb\]'"
    ):
        check_trackers(["wandb"])
    with pytest.raises(
        UsageError, match="`log=neptune`: no such tracker; choose from tensorboard, mlflow, wandb"
    ):
        check_trackers(["neptune"])
    check_trackers([])


def test_tensorboard_reads_what_is_written_for_it(config, tmp_path):
    pytest.importorskip("tensorboard", reason="tensorboard is an extra")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    list(tracked(EVENTS, ["tensorboard"], tmp_path, config, pytest.fail))
    found = EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert [(point.step, point.value) for point in found.Scalars("train/loss")] == [(10, 2.0), (30, 2.0)]
    assert found.Scalars("valid/accuracy")[0].value == 0.5
