"""What a GPU computes is what the CPU computes: for each task with each cell."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from test_contract import ROWS, WIDTH, chosen

from seqrnn.backends.torch.backend import to_tensors
from seqrnn.backends.torch.parameters import model_arrays
from seqrnn.data.dataset.batching import BatchOrder
from seqrnn.training import device_updates
from seqrnn.training.evaluation import evaluate
from seqrnn.training.session import RunTarget

pytestmark = pytest.mark.gpu

__all__ = ["chosen"]  # a fixture
PADDED = {"data.lengths": "blank", "data.max_tokens": WIDTH}


def computed(session):
    """The loss, the gradient of each weight and the values of all rows of the one batch that there is."""
    (batch,) = session.task.batches(session.prepared.train, BatchOrder())
    output = session.model.eval()(to_tensors(batch, session.trainer.device))
    output.loss.total.backward()
    gradients = {name: parameter.grad.cpu() for name, parameter in session.model.named_parameters()}
    values = {name: value.detach().cpu() for name, value in output.values.items()}
    return output.loss.total.item(), int(output.loss.count), gradients, values


@pytest.mark.parametrize("lengths", [{}, PADDED], ids=["dynamic", "blank"])
def test_losses_gradients_and_values_are_those_of_the_cpu(make_session, chosen, lengths):
    layout, settings, content = chosen
    settings = {**settings, "training.batch_size": ROWS, **lengths}
    loss, count, gradients, values = computed(make_session(layout, settings, content))
    found = computed(make_session(layout, {**settings, "training.device": "cuda"}, content))
    assert found[0] == pytest.approx(loss, rel=1e-4)
    assert found[1] == count
    for name, gradient in gradients.items():
        torch.testing.assert_close(found[2][name], gradient, rtol=1e-3, atol=1e-4)
    for name, value in values.items():
        torch.testing.assert_close(found[3][name], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("recorded", [True, False], ids=["graphs", "eager"])
def test_a_training_is_that_of_the_cpu(make_session, chosen, tmp_path, monkeypatch, recorded):
    layout, settings, content = chosen
    several = {"training.batch_size": 4, "training.epochs": None, "training.steps": 12}
    monkeypatch.setattr(device_updates, "MIN_REPEATS", 2 if recorded else 1000)
    found = {}
    for device in ("cpu", "cuda"):
        session = make_session(layout, {**settings, **several, "training.device": device}, content)
        for _ in session.train(RunTarget(tmp_path / device)):
            pass
        found[device] = (
            model_arrays(session.model),
            evaluate(session.model, session.task, session.prepared.train).figures["loss"],
        )
        if device == "cuda" and getattr(session.model, "recordable", True):
            assert bool(session.trainer.updater._graphs) == recorded
    for name, array in found["cpu"][0].items():
        np.testing.assert_allclose(found["cuda"][0][name], array, rtol=5e-3, atol=5e-3)
    assert found["cuda"][1] == pytest.approx(found["cpu"][1], rel=5e-3)
