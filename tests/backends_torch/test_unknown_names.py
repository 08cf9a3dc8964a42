"""Measuring on labels and tags that training did not have, and training with such validation data."""

from __future__ import annotations

import pytest
import torch

from seqrnn.backends.torch.crf import CRF
from seqrnn.backends.torch.loss import PLAIN
from seqrnn.backends.torch.networks import sentence_loss, tag_loss
from seqrnn.training.evaluation import evaluate

MASK = torch.tensor([[True, True, True], [True, True, False]])


@pytest.fixture
def valid(tmp_path):
    """A function `(content, file name) -> settings` that validate on that content."""

    def write(content, name):
        file = tmp_path / name
        file.write_text(content, encoding="utf-8")
        return {"data.valid": (str(file),)}

    return write


@pytest.mark.parametrize("crf", [None, CRF(4)], ids=["softmax", "crf"])
def test_the_loss_of_known_tags_is_that_without_the_unknown_ones(crf):
    def loss(scores, tags, mask):
        return sentence_loss(crf, scores, tags, mask) if crf else tag_loss(scores, tags, mask, PLAIN)

    torch.manual_seed(1)
    scores, known = torch.randn(2, 3, 4), torch.tensor([[0, 3, 1], [2, 1, 0]])
    whole = loss(scores, known, MASK)
    assert whole.count == 5
    tags = known.clone()
    tags[1, 1] = 6
    found = loss(scores, tags, MASK)
    # A CRF judges sentences, not tags.
    left = MASK.clone()
    left[1, 0 if crf else 1 :] = False
    assert found.total.item() == pytest.approx(loss(scores, known, left).total.item(), rel=1e-5)
    assert found.count == (3 if crf else 4)
    behind = known.clone()
    behind[1, 2] = 9  # what pads a batch is no tag
    assert loss(scores, behind, MASK).count == 5


@pytest.mark.parametrize("several", [False, True])
def test_a_classifier_is_measured_on_labels_that_it_does_not_have(train, valid, several):
    rows = [("red cat", "a"), ("old dog", "z"), ("new dog", "y"), ("blue", "z")]
    settings = valid("".join(f"{text}\t{label}\n" for text, label in rows), "valid.tsv")
    session, _ = train("tsv", {**settings, "data.multi_label": several})
    evaluation = evaluate(session.model, session.task, session.prepared.valid)
    figures = evaluation.figures
    assert (figures["examples"], figures["tokens"], figures["unknown_labels"]) == (4, 4, 3)
    assert figures["accuracy"] in {0.0, 0.25}
    assert figures["loss"] > 0.0
    support = {row.label: row.support for row in evaluation.classes}
    assert support == {"a": 1, "b": 0, "c": 0, "z": 2, "y": 1}
    assert session.task.sizes().classes == 3


def test_the_loss_of_nothing_but_unknown_labels_is_none(train, valid):
    session, _ = train("tsv", valid("red\tz\nold dog\ty\n", "valid.tsv"))
    figures = evaluate(session.model, session.task, session.prepared.valid).figures
    assert (figures["loss"], figures["accuracy"], figures["unknown_labels"]) == (None, 0.0, 2)


@pytest.mark.parametrize("layer", ["softmax", "crf"])
def test_a_tagger_is_measured_on_tags_that_it_does_not_have(train, valid, layer):
    settings = valid("Ann N\nsaw X\n\nold A\nBo N\n", "valid.conll")
    session, _ = train("conll", {**settings, "model.output_layer": layer})
    evaluation = evaluate(session.model, session.task, session.prepared.valid)
    figures = evaluation.figures
    assert (figures["tokens"], figures["unknown_labels"]) == (4, 1)
    assert figures["accuracy"] <= 0.75
    assert {row.label: row.support for row in evaluation.classes} == {"A": 1, "N": 2, "V": 0, "X": 1}
