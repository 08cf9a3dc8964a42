"""The samples of written sequences, trained for some seconds: dates read right, names that sound right."""

from __future__ import annotations

import pytest

from seqrnn.answering.row_writer import RowWriter
from seqrnn.data.record import Record
from seqrnn.search.beam import Beam
from seqrnn.search.decoding import Decoding
from seqrnn.search.generation import Limits
from seqrnn.search.sampling import Sampling
from seqrnn.training.evaluation import EvaluationOptions

ENDINGS = {
    "Norran": ("holm", "øy", "vik", "nes", "sund", "skjær", "fjord", "havn"),
    "Luméan": ("na", "lia", "retto", "ssa", "dora", "nelle", "cino", "mare"),
    "Tokuwa": ("ra", "hoa", "tea", "kau", "nga", "pao", "rua", "hi"),
}


def test_the_sample_of_dates_is_learned(train_sample, measure):
    session, _ = train_sample("dates", {"training.epochs": 8.0, "training.learning_rate": 1e-2})
    figures = measure(session, "dates.test.tsv", EvaluationOptions(beam=Beam(3)))
    assert figures["token_error_rate"] < 0.1
    assert figures["exact_match"] > 0.4
    assert figures["wer"] == pytest.approx(1 - figures["exact_match"])


def test_names_made_up_for_islands_end_as_those_of_their_tongue(train_sample, opened):
    _, path = train_sample("islands", {"training.epochs": 25.0})
    writer = RowWriter(*opened(path))
    draws = Decoding(Limits(20), Sampling(temperature=0.7), 60)
    for answer, endings in zip(
        writer.answer([Record(tongue) for tongue in ENDINGS], draws), ENDINGS.values(), strict=True
    ):
        names = [name for name, _ in answer.nbest]
        assert sum(name.endswith(endings) for name in names) > 40
        assert len(set(names)) > 30
