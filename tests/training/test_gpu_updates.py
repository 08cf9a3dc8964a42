"""Trainings on a GPU: recorded updates, updates that are left out, and going on from where one stopped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.distributed as dist

from seqrnn.backends.torch.backend import to_tensors
from seqrnn.backends.torch.loss import Loss
from seqrnn.backends.torch.parameters import model_arrays
from seqrnn.run.directory import RunDirectory
from seqrnn.training import device_updates
from seqrnn.training.data_parallel import DataParallelWorkers
from seqrnn.training.events import Stepped
from seqrnn.training.session import RunTarget
from seqrnn.training.training_arrays import CUDA_RANDOM
from seqrnn.training.worker_processes import WorkerRanks

pytestmark = pytest.mark.gpu

GPU = {
    "training.device": "cuda",
    "model.dropout": 0.3,
    "model.word_dropout": 0.2,
    "training.epochs": None,
    "training.steps": 60,
    "training.evaluate_every": 30,
}
LAYOUTS = ["tsv", "text", "lines", "conll"]


def newest(path):
    return RunDirectory.open(path).newest()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_recorded_update_is_the_update(make_session, tmp_path, monkeypatch, layout, precision):
    found = []
    for name, seen in (("graphs", 2), ("eager", 1000)):
        monkeypatch.setattr(device_updates, "MIN_REPEATS", seen)
        session = make_session(layout, {**GPU, "training.precision": precision})
        losses = [e.loss for e in session.train(RunTarget(tmp_path / name)) if isinstance(e, Stepped)]
        found.append((model_arrays(session.model), losses))
        assert bool(session.trainer.updater._graphs) == (name == "graphs")
    (graphs, losses), (eager, expected) = found
    assert losses == pytest.approx(expected, rel=1e-2 if precision == "bf16" else 1e-3)
    for name, array in eager.items():
        np.testing.assert_allclose(graphs[name], array, atol=2e-2 if precision == "bf16" else 2e-3)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_update_that_is_not_finite_is_left_out(make_session, tmp_path, layout, optimizer):
    session = make_session(layout, {**GPU, "training.optimizer": optimizer, "training.average": 0.9})
    factor = torch.ones((), device="cuda")
    forward, update = session.model.forward, session.trainer.updater.update

    def spoiled(*arguments):
        output = forward(*arguments)
        if not session.model.training:
            return output
        return replace(output, loss=Loss(output.loss.total * factor, output.loss.count))

    weights = []

    def followed(group, rate, step):
        factor.fill_(float("nan") if step in {1, 40, 41} else 1.0)
        update(group, rate, step)
        weights.append([parameter.detach().clone() for parameter in session.model.parameters()])

    session.model.forward, session.trainer.updater.update = spoiled, followed
    events = [event for event in session.train(RunTarget(tmp_path / "run")) if isinstance(event, Stepped)]
    assert [event.step for event in events if event.skipped] == [1, 40, 41]
    assert [event.step for event in events] == list(range(1, 61))
    for left_out in (40, 41):
        before, after = weights[left_out - 2], weights[left_out - 1]
        assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert not torch.equal(weights[41][0], weights[40][0])
    assert session.trainer.updater._graphs


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_training_that_was_stopped_goes_on_as_if_it_never_was(make_session, tmp_path, layout):
    unbroken = make_session(layout, GPU)
    for _ in unbroken.train(RunTarget(tmp_path / "unbroken")):
        pass
    for stop in (3, 25, None):
        session = make_session(layout, GPU)
        for event in session.train(RunTarget(tmp_path / "broken", resume=stop != 3)):
            if isinstance(event, Stepped) and event.step == stop:
                session.trainer.stop("the test wants it")
    whole, broken = (newest(tmp_path / name).training_tensors(None) for name in ("unbroken", "broken"))
    assert whole.keys() == broken.keys()
    np.testing.assert_array_equal(whole[CUDA_RANDOM], broken[CUDA_RANDOM])
    for name, array in whole.items():
        if name != "rng":
            np.testing.assert_allclose(broken[name], array, atol=2e-3)
    theirs = model_arrays(session.model)
    for name, array in model_arrays(unbroken.model).items():
        np.testing.assert_allclose(theirs[name], array, atol=2e-3)


def test_a_training_goes_on_where_it_did_not_begin(make_session, tmp_path):
    for device, stop in (("cuda", 5), ("cpu", 30), ("cuda", None)):
        session = make_session("tsv", {**GPU, "training.device": device})
        for event in session.train(RunTarget(tmp_path / "run", resume=stop != 5)):
            if isinstance(event, Stepped) and event.step == stop:
                session.trainer.stop("the test wants it")
    assert newest(tmp_path / "run").step == 60


@pytest.mark.parametrize("layout", ["tsv", "text"])
def test_a_single_worker_has_its_own_sums_from_nccl(make_session, layout):
    session = make_session(layout, {**GPU, "model.dropout": 0.0, "model.word_dropout": 0.0})
    trainer, device = session.trainer, torch.device("cuda", 0)
    batch = next(trainer.groups())
    total, _ = trainer.updater.learner.loss_of(to_tensors(batch[0], device), None)
    share = total / batch[0].targets
    share.backward()
    gradients = [parameter.grad.clone() for parameter in session.model.parameters()]
    workers = DataParallelWorkers(dist.HashStore(), WorkerRanks(), device)
    try:
        assert dist.get_backend(workers._sums) == "nccl"
        loss, tokens, positions = workers.combine(session.model, share.detach(), batch)
        carry = trainer.updater.carry
        assert workers.gather(session.model, carry) is carry
        assert workers._agree(True)
        assert not workers._agree(False)
    finally:
        workers.close()
    assert (int(tokens), int(positions)) == (batch[0].tokens, batch[0].positions)
    torch.testing.assert_close(loss, share.detach())
    for parameter, gradient in zip(session.model.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
