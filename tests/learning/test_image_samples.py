"""The samples of drawn scenes, trained for some seconds: the colour of the upper thing, and captions."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqrnn.config_file import from_defaults, read_file
from seqrnn.data.dataset.prepare import prepare
from seqrnn.data.source import Source
from seqrnn.library.measuring import encoded
from seqrnn.library.plan import plan_training
from seqrnn.search.beam import Beam
from seqrnn.training.evaluation import EvaluationOptions, evaluate
from seqrnn.training.session import RunTarget, Session

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def figures_of(tmp_path, monkeypatch):
    """A function: a sample's name, what to change -> the figures of its test pictures."""
    monkeypatch.chdir(ROOT)

    def run(name, changes):
        quick = {"training.precision": "fp32", "training.device": "cpu", "training.evaluate_every": 10_000}
        plan = plan_training([read_file(f"sample_data/{name}.yaml"), from_defaults({**quick, **changes})])
        task = plan.task()
        session = Session(plan.config, task, prepare(plan.readable.data, task.fields, 1))
        for _ in session.train(RunTarget(tmp_path / "run")):
            pass
        test = Source((f"sample_data/{name}.test.tsv",), format="tsv", kind="image")
        with encoded(task, test) as data:
            return evaluate(session.model, task, data.dataset, EvaluationOptions(beam=Beam(2))).figures

    return run


def test_the_colour_above_is_learned(figures_of):
    assert figures_of("colours", {"training.epochs": 8.0})["accuracy"] > 0.9


def test_captions_are_learned(figures_of):
    figures = figures_of(
        "scenes",
        {"training.epochs": 6.0, "model.channels": 16, "model.hidden_size": 128},
    )
    assert figures["token_error_rate"] < 0.4
    assert figures["bleu"] > 40
