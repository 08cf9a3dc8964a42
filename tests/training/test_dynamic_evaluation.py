"""A model that learns from the text it is measured on: each token is measured before it is learnt."""

from __future__ import annotations

import pytest
import torch

from seqrnn.errors import UsageError
from seqrnn.library.measuring import evaluation_options
from seqrnn.training.evaluation import EvaluationOptions, evaluate

TEXT = "the cat sat on the mat. " * 40
OTHER = "zzyx wqk vvv jjx. " * 200  # as regular, of letters that come together nowhere else


@pytest.fixture
def trained(train):
    settings = {"training.steps": 60, "training.epochs": None, "training.segment_length": 16}
    session, _ = train("text", {**settings, "data.valid_fraction": 0.0}, TEXT + OTHER[:90])
    return session


def measured(session, data, **options):
    return evaluate(session.model, session.task, data, EvaluationOptions(**options)).figures["loss"]


def test_what_comes_again_is_expected_and_the_model_stays_as_it_is(make_session, trained):
    data = make_session("text", {"data.valid_fraction": 0.0}, TEXT + OTHER).prepared.train
    before = {name: tensor.clone() for name, tensor in trained.model.state_dict().items()}
    static = measured(trained, data)
    dynamic = measured(trained, data, dynamic=True)
    assert dynamic < 0.95 * static
    assert all(torch.equal(tensor, before[name]) for name, tensor in trained.model.state_dict().items())
    assert measured(trained, data) == static
    assert measured(trained, data, dynamic=True) == dynamic
    assert all(parameter.grad is None for parameter in trained.model.parameters())


def test_nothing_is_learnt_before_it_is_measured(make_session, trained):
    length = trained.task.config.training.segment_length
    data = make_session("text", {"data.valid_fraction": 0.0}, OTHER[: length - 1]).prepared.train
    assert measured(trained, data, dynamic=True) == pytest.approx(measured(trained, data), rel=1e-6)


def test_only_models_of_a_text_learn_from_it(make_session):
    task = make_session("tsv").task
    with pytest.raises(UsageError, match="`dynamic`: m was not trained on one long text"):
        evaluation_options(task, "m", 1, (None, None), dynamic=True)
