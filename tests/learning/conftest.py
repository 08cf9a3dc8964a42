"""Trainings on the committed samples, by their own configurations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from seqrnn.config_file import from_defaults, read_file
from seqrnn.data.dataset.prepare import prepare
from seqrnn.data.source import Source
from seqrnn.library.measuring import encoded
from seqrnn.library.plan import plan_training
from seqrnn.training.evaluation import evaluate
from seqrnn.training.session import RunTarget, Session

ROOT = Path(__file__).parent.parent.parent
QUICK = {"training.precision": "fp32", "training.device": "cpu", "training.evaluate_every": 10_000}


@pytest.fixture
def train_sample(tmp_path, monkeypatch):
    """A function: a sample's name, what to change -> what its configuration trains, and where."""
    monkeypatch.chdir(ROOT)

    def train(name, changes):
        plan = plan_training([read_file(f"sample_data/{name}.yaml"), from_defaults({**QUICK, **changes})])
        task = plan.task()
        session = Session(plan.config, task, prepare(plan.readable.data, task.fields, 1))
        for _ in session.train(RunTarget(tmp_path / "run")):
            pass
        return session, tmp_path / "run"

    return train


@pytest.fixture
def measure():
    """A function: what was trained, a file of sample_data, options of its evaluation -> `Evaluation`."""

    def measure_file(session, name, options=None):
        data = replace(session.config.data, train=(f"sample_data/{name}",))
        with encoded(session.task, Source.training(data)) as test:
            return evaluate(session.model, session.task, test.dataset, options)

    return measure_file
