"""Updates that nobody waits for: the same as those of the CPU, on which they are tested here."""

from __future__ import annotations

import numpy as np
import pytest
from spoiled import spoil

from seqrnn.backends.torch.parameters import model_arrays
from seqrnn.errors import NumericError
from seqrnn.training import trainer as loop
from seqrnn.training.device_updates import DeviceUpdater
from seqrnn.training.events import Evaluated, Stepped
from seqrnn.training.session import RunTarget

SGD = {"training.optimizer": "sgd", "training.learning_rate": 0.1}


@pytest.fixture
def deferred(monkeypatch):
    """A function that makes trainings run as on a GPU from now on."""
    return lambda: monkeypatch.setattr(loop, "Updater", DeviceUpdater)


def outcome(session, path):
    """The weights after a training, and what it told of its updates and evaluations."""
    events = list(session.train(RunTarget(path)))
    steps = [
        (e.step, e.epoch, e.tokens, e.skipped, e.learning_rate) for e in events if isinstance(e, Stepped)
    ]
    losses = [e.loss for e in events if isinstance(e, Stepped) and not e.skipped]
    places = [index for index, e in enumerate(events) if isinstance(e, Evaluated)]
    return model_arrays(session.model), steps, losses, places


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"training.accumulate": 3},
        {"training.average": 0.8, "training.evaluate_every": 3},
        {"training.clip": 0.05},
        {"training.clip": 0.0, "model.dropout": 0.3, "model.word_dropout": 0.2},
        SGD,
        {**SGD, "training.momentum": 0.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("layout", ["tsv", "text", "lines", "conll"])
@pytest.mark.parametrize("bad", [(), (1, 4)], ids=["finite", "not finite"])
def test_they_are_those_of_the_cpu(make_session, deferred, tmp_path, layout, settings, bad):
    found = []
    for name in ("at once", "deferred"):
        if name == "deferred":
            deferred()
        session = make_session(layout, settings)
        spoil(session, bad)
        found.append(outcome(session, tmp_path / name))
    (weights, steps, losses, places), (others, other_steps, other_losses, other_places) = found
    assert other_steps == steps
    assert sum(step[3] for step in steps) == len(bad)
    assert other_places == places
    assert other_losses == pytest.approx(losses, rel=1e-5)
    for name, array in weights.items():
        np.testing.assert_allclose(others[name], array, rtol=1e-4, atol=1e-6)


def test_those_that_are_never_finite_end_the_training(make_session, deferred, tmp_path):
    deferred()
    session = make_session("text", {"training.epochs": 100.0})
    spoil(session, range(3, 1000))
    with pytest.raises(NumericError, match=r"step 52: .*10 updates in a row"):
        list(session.train(RunTarget(tmp_path / "run")))


def test_a_loss_is_told_some_updates_later_and_always_before_an_evaluation(make_session, deferred, tmp_path):
    deferred()
    session = make_session("text", {"training.steps": 40, "training.epochs": None})
    behind = []
    for event in session.train(RunTarget(tmp_path / "run")):
        if isinstance(event, Stepped):
            behind.append(session.trainer.state.step - event.step)
        elif isinstance(event, Evaluated):
            assert behind[-1] == 0
    assert max(behind) == DeviceUpdater.lag
