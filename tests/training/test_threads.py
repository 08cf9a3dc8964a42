"""How the cores are used follows what is faster, and changes no result."""

import hashlib
import itertools

import pytest
import torch
from torch import nn

from seqrnn.backends.torch.rnn import RNN
from seqrnn.cells.sizes import RNNSizes
from seqrnn.run.directory import RunDirectory
from seqrnn.training import threads
from seqrnn.training.session import RunTarget
from seqrnn.training.threads import (
    TRIAL_INTERVAL,
    TRIAL_UPDATES,
    ThreadTuner,
    ThreadUse,
    thread_uses,
    use_threads,
)

TWO, ONE, BOTH = ThreadUse(2), ThreadUse(1), ThreadUse(1, True)


def digest_of_weights(run):
    tensors = RunDirectory.open(run).newest().path / "model.safetensors"
    return hashlib.sha256(tensors.read_bytes()).hexdigest()


class Machine:
    """A tuner on a machine with a clock of its own, where an update takes `cost[way]` seconds."""

    def __init__(self, monkeypatch, cost):
        self.now, self.way, self.cost = 0.0, next(iter(cost)), cost
        monkeypatch.setattr(threads.time, "monotonic", lambda: self.now)
        self.tuner = ThreadTuner([*cost], self.use)

    def use(self, way):
        self.way = way

    def updates(self, number, sizes=(100,)):
        """Make so many updates, over as many positions as `sizes` say in turns."""
        for positions in itertools.islice(itertools.cycle(sizes), number):
            seconds = self.cost[self.way] * (positions / 100) ** 0.7
            self.now += seconds
            self.tuner.update_took(seconds, positions)


@pytest.mark.parametrize(
    "cost",
    [
        {TWO: 0.1, ONE: 0.06},
        {TWO: 0.06, ONE: 0.1},
        {TWO: 0.1, ONE: 0.12, BOTH: 0.08},
        {TWO: 0.08, ONE: 0.12, BOTH: 0.09},
        {TWO: 0.9, ONE: 0.1, BOTH: 0.8},
    ],
)
def test_the_fastest_way_is_kept_after_a_trial(monkeypatch, cost):
    machine = Machine(monkeypatch, cost)
    machine.updates(len(cost) * TRIAL_UPDATES, sizes=[50, 100, 400, 80])
    assert machine.way == min(cost, key=cost.get)


def test_a_first_update_that_finds_nothing_ready_decides_nothing(monkeypatch):
    machine = Machine(monkeypatch, {TWO: 0.1, ONE: 0.1, BOTH: 0.5})
    machine.updates(3)
    machine.cost = {TWO: 0.1, ONE: 0.1, BOTH: 0.08}
    machine.updates(3 * TRIAL_UPDATES)
    assert machine.way == BOTH


def test_a_machine_that_gets_busy_is_noticed_soon(monkeypatch):
    machine = Machine(monkeypatch, {TWO: 0.06, ONE: 0.1})
    machine.updates(2 * TRIAL_UPDATES)
    assert machine.way == TWO
    machine.cost = {TWO: 0.9, ONE: 0.1}
    machine.updates(6)
    assert machine.way == ONE


def test_a_machine_that_gets_idle_is_noticed_at_the_next_trial(monkeypatch):
    machine = Machine(monkeypatch, {TWO: 1.5, ONE: 0.1})
    machine.updates(4)  # two looks at each are enough
    assert machine.way == ONE
    machine.cost = {TWO: 0.06, ONE: 0.1}
    machine.now += 20 * TRIAL_INTERVAL
    for _ in range(4):
        machine.updates(2 * TRIAL_UPDATES + 1)
        machine.now += 20 * TRIAL_INTERVAL
    assert machine.way == TWO


def test_trials_of_slow_updates_do_not_take_much_of_the_time(monkeypatch):
    machine = Machine(monkeypatch, {TWO: 1.0, ONE: 2.0})
    machine.updates(1000)
    assert machine.now < 1000 * 1.1


def test_with_one_core_there_is_nothing_to_choose():
    assert thread_uses(RNN("lstm", RNNSizes(3, 4, bidirectional=True)), 1) == []
    calls = []
    tuner = ThreadTuner([], calls.append)
    for _ in range(100):
        tuner.update_took(1.0, 1)
    assert calls == []


def test_only_layers_of_two_directions_have_both_computed_at_a_time():
    assert thread_uses(RNN("lstm", RNNSizes(3, 4)), 2) == [TWO, ONE]
    network = nn.ModuleList([RNN("gru", RNNSizes(3, 4)), RNN("gru", RNNSizes(3, 4, bidirectional=True))])
    assert thread_uses(network, 2) == [TWO, ONE, BOTH]
    before = torch.get_num_threads()
    try:
        use_threads(network, BOTH)
        assert torch.get_num_threads() == 1
        assert [rnn.both_at_once for rnn in network] == [True, True]
        use_threads(network, TWO)
        assert torch.get_num_threads() == 2
        assert [rnn.both_at_once for rnn in network] == [False, False]
    finally:
        torch.set_num_threads(before)


def test_the_number_of_threads_changes_no_weight(train):
    digests = set()
    for number in (1, 2):
        before = torch.get_num_threads()
        settings = {
            "training.threads": number,
            "model.hidden_size": 48,
            "training.steps": 12,
            "training.epochs": None,
        }
        try:
            _, path = train("text", settings)
        finally:
            torch.set_num_threads(before)
        digests.add(digest_of_weights(path))
    assert len(digests) == 1


@pytest.mark.parametrize("cell", ["lstm", "gru", "mingru"])
@pytest.mark.parametrize("layout", ["conll", "tsv"])
def test_both_directions_at_a_time_change_no_weight(make_session, tmp_path, layout, cell):
    settings = {"model.cell": cell, "model.bidirectional": True, "training.threads": 1, "training.steps": 12}
    digests, before = set(), torch.get_num_threads()
    for way in (ONE, BOTH):
        session, path = make_session(layout, {**settings, "training.epochs": None}), tmp_path / str(way)
        use_threads(session.model, way)
        for _ in session.train(RunTarget(path)):
            pass
        digests.add(digest_of_weights(path))
    torch.set_num_threads(before)
    assert len(digests) == 1
