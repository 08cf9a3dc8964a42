"""The average of the weights is what it says, and is what is measured and saved."""

import numpy as np
import pytest
import torch
from torch import nn

from seqrnn.backends.torch.parameters import model_arrays
from seqrnn.run.directory import RunDirectory
from seqrnn.training.averaging import AVERAGE_INTERVAL, WeightAverage
from seqrnn.training.evaluation import evaluate
from seqrnn.training.events import Evaluated, Stepped
from seqrnn.training.session import RunTarget


def test_the_average_forgets_at_the_rate_it_was_given():
    model = nn.Linear(2, 1)
    average = WeightAverage(model, 0.6)
    expected = model.weight.detach().clone()
    for step in range(1, 41):
        with torch.no_grad():
            model.weight.add_(torch.randn(1, 2))
        average.update(step)
        if step % AVERAGE_INTERVAL == 0:
            keep = min(0.6, (1 + step) / (10 + step)) ** AVERAGE_INTERVAL
            expected = keep * expected + (1 - keep) * model.weight.detach()
    own = model.weight.detach().clone()
    with average.in_place():
        torch.testing.assert_close(model.weight.detach(), expected)
        np.testing.assert_array_equal(average.set_aside()["weights.weight"], own.numpy())
    assert torch.equal(model.weight.detach(), own)


def test_without_a_decay_there_is_nothing_to_hold():
    model = nn.Linear(2, 1)
    average = WeightAverage(model, 0.0)
    before = model.weight.detach().clone()
    with torch.no_grad():
        model.weight.add_(1.0)
    average.update(AVERAGE_INTERVAL)
    with average.in_place():
        assert torch.equal(model.weight.detach(), before + 1.0)
    assert average.set_aside() == {}


def test_what_is_measured_is_what_is_saved_and_not_what_is_trained(make_session, tmp_path):
    session = make_session("tsv", {"training.average": 0.9, "training.learning_rate": 0.05})
    trained, measured = {}, {}
    for event in session.train(RunTarget(tmp_path / "run")):
        if isinstance(event, Stepped):
            trained = {name: array.copy() for name, array in model_arrays(session.model).items()}
        if isinstance(event, Evaluated):
            measured = dict(event.metrics)
    newest = RunDirectory.open(tmp_path / "run").newest()
    saved = newest.tensors(None)
    assert any(not np.array_equal(saved[name], trained[name]) for name in saved)
    with torch.no_grad():
        for name, parameter in session.model.named_parameters():
            parameter.copy_(torch.from_numpy(saved[name]))
    again = evaluate(session.model, session.task, session.prepared.valid).figures
    assert again["loss"] == pytest.approx(measured["loss"], abs=1e-6)
