"""The samples of drawn scenes, trained for some seconds: the colour of the upper thing, and captions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import html

from seqrnn.config_file import from_defaults, read_file
from seqrnn.data.dataset.prepare import prepare
from seqrnn.data.source import Source
from seqrnn.library.measuring import DataArguments, encoded
from seqrnn.library.plan import plan_training
from seqrnn.reporting.gathering import Wanted, gather
from seqrnn.reporting.page import write_page
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


def test_captions_are_learned_and_a_page_shows_where_it_looked(figures_of, tmp_path):
    figures = figures_of(
        "scenes",
        {"training.epochs": 6.0, "model.channels": 16, "model.hidden_size": 128},
    )
    assert figures["token_error_rate"] < 0.4
    assert figures["bleu"] > 40
    data = DataArguments(("sample_data/scenes.test.tsv",))
    subject, _ = gather(tmp_path / "run", Wanted(data, examples=12, device="cpu"))
    (section,) = html.fromstring(write_page(subject)).xpath("//section[@id='alignments']")
    looked = section.xpath(".//figure[1]//svg[@class='looked']")  # the image, and again for each word
    assert [len(each.xpath("./use")) for each in looked] == [0] + [1] * (len(looked) - 1)
    assert re.match(r"a looks most at row \d column \d: \d+%", looked[1].get("aria-label"))
