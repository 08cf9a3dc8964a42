"""Explanations are the same however many copies of a row are computed together."""

from __future__ import annotations

import pytest

from seqrnn.answering.opened_run import open_run
from seqrnn.backends.torch.backend import open_backend
from seqrnn.data.record import Record
from seqrnn.library import explaining
from seqrnn.library.explaining import Explainer


def test_tokens_are_left_out_together_as_one_by_one(train, monkeypatch) -> None:
    _, path = train("tsv", {"training.epochs": 2.0, "model.ngram_buckets": 64})
    run = open_run(path)
    rows = [Record("a rather long row of several words , told twice twice", (), "rows.tsv", 1)]
    found = []
    for together in (explaining.MAX_TOGETHER, 24, 1):
        monkeypatch.setattr(explaining, "MAX_TOGETHER", together)
        (answer,) = Explainer(run, open_backend(run, "cpu")).answers(rows)
        found.append(answer.explanation.outputs[0].saliency)
    assert len(set(map(len, found))) == 1
    assert any(abs(weight) > 1e-4 for weight in found[0])
    for other in found[1:]:
        assert other == pytest.approx(found[0], abs=1e-5)
