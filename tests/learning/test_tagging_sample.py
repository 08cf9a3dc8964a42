"""The sample of tagged sentences, trained for some seconds, finds names that it never saw."""

from __future__ import annotations

from pathlib import Path

from seqrnn.cli.plan import plan_training
from seqrnn.config_file import from_defaults, read_file
from seqrnn.data.prepare import encode_dataset, prepare
from seqrnn.data.source import Source
from seqrnn.engine.evaluation import evaluate
from seqrnn.engine.session import Place, Session

SAMPLES = Path(__file__).parent.parent.parent / "sample_data"


def test_the_sample_of_sightings_is_learned(tmp_path, monkeypatch):
    monkeypatch.chdir(SAMPLES.parent)
    few = from_defaults({"training.epochs": 5.0, "training.precision": "fp32", "training.device": "cpu"})
    plan = plan_training([read_file("sample_data/sightings.yaml"), few])
    task = plan.task()
    session = Session(plan.config, task, prepare(plan.readable.data, task.fields, 1))
    for _ in session.train(Place(tmp_path / "run")):
        pass
    test = Source(("sample_data/sightings.test.conll",), format="conll")
    (tmp_path / "test").mkdir()
    figures, details = evaluate(
        session.model, task, encode_dataset(test, task.fields, tmp_path / "test", "error")
    )
    assert figures["span_f1"] > 0.7
    assert {row["label"] for row in details["classes"]} == {"cargo", "place", "ship", "time"}
