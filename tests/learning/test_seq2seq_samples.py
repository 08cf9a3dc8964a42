"""The samples of written sequences, trained for some seconds: dates read right, names that sound right."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqrnn.answering.rows import RowWriter
from seqrnn.cli.plan import plan_training
from seqrnn.config_file import from_defaults, read_file
from seqrnn.data.prepare import encode_dataset, prepare
from seqrnn.data.record import Record
from seqrnn.data.source import Source
from seqrnn.engine.evaluation import Effort, evaluate
from seqrnn.engine.session import Place, Session
from seqrnn.search.beam import Beam
from seqrnn.search.decoding import Decoding
from seqrnn.search.generation import Limits
from seqrnn.search.sampling import Sampling

SAMPLES = Path(__file__).parent.parent.parent / "sample_data"
ENDINGS = {
    "Norran": ("holm", "øy", "vik", "nes", "sund", "skjær", "fjord", "havn"),
    "Luméan": ("na", "lia", "retto", "ssa", "dora", "nelle", "cino", "mare"),
    "Tokuwa": ("ra", "hoa", "tea", "kau", "nga", "pao", "rua", "hi"),
}


@pytest.fixture
def train(tmp_path, monkeypatch):
    """A function: a sample's name, what to change -> what its configuration trains, and where."""
    monkeypatch.chdir(SAMPLES.parent)

    def run(name, changes):
        quick = {"training.precision": "fp32", "training.device": "cpu", "training.evaluate_every": 10_000}
        plan = plan_training([read_file(f"sample_data/{name}.yaml"), from_defaults({**quick, **changes})])
        task = plan.task()
        session = Session(plan.config, task, prepare(plan.readable.data, task.fields, 1))
        for _ in session.train(Place(tmp_path / "run")):
            pass
        return session, tmp_path / "run"

    return run


def test_the_sample_of_dates_is_learned(train, tmp_path):
    session, _ = train("dates", {"training.epochs": 8.0, "training.learning_rate": 1e-2})
    test = Source(("sample_data/dates.test.tsv",), format="tsv")
    (tmp_path / "test").mkdir()
    dataset = encode_dataset(test, session.task.fields, tmp_path / "test", "error")
    figures, _ = evaluate(session.model, session.task, dataset, Effort(beam=Beam(3)))
    assert figures["token_error_rate"] < 0.1
    assert figures["exact_match"] > 0.4
    assert figures["wer"] == pytest.approx(1 - figures["exact_match"])


def test_names_made_up_for_islands_end_as_those_of_their_tongue(train, opened):
    _, path = train("islands", {"training.epochs": 25.0})
    writer = RowWriter(*opened(path))
    draws = Decoding(Limits(20), Sampling(temperature=0.7), 60)
    for answer, endings in zip(
        writer.answer([Record(tongue) for tongue in ENDINGS], draws), ENDINGS.values(), strict=True
    ):
        names = [name for name, _ in answer.nbest]
        assert sum(name.endswith(endings) for name in names) > 40
        assert len(set(names)) > 30
