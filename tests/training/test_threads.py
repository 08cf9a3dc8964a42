"""The number of threads follows what is faster, and changes no result."""

import hashlib
import itertools

import pytest
import torch

from seqrnn.run.directory import RunDirectory
from seqrnn.training import threads
from seqrnn.training.threads import TRIAL_INTERVAL, TRIAL_UPDATES, ThreadTuner


class Machine:
    """A tuner on a machine with a clock of its own, where an update takes `cost[threads]` seconds."""

    def __init__(self, monkeypatch, cost):
        self.now, self.threads, self.cost = 0.0, 2, cost
        monkeypatch.setattr(threads.time, "monotonic", lambda: self.now)
        self.tuner = ThreadTuner(2, self.use)

    def use(self, number):
        self.threads = number

    def update(self, positions=100):
        seconds = self.cost[self.threads] * positions / 100
        self.now += seconds
        self.tuner.update_took(seconds, positions)


@pytest.mark.parametrize("cost", [{1: 0.1, 2: 0.06}, {1: 0.1, 2: 1.5}])
def test_the_faster_number_is_kept_after_a_trial(monkeypatch, cost):
    machine = Machine(monkeypatch, cost)
    for positions in itertools.islice(itertools.cycle([50, 100, 400]), 2 * TRIAL_UPDATES):
        machine.update(positions)
    assert machine.threads == min(cost, key=cost.get)


def test_a_machine_that_gets_busy_is_noticed_at_once(monkeypatch):
    machine = Machine(monkeypatch, {1: 0.1, 2: 0.06})
    for _ in range(2 * TRIAL_UPDATES):
        machine.update()
    assert machine.threads == 2
    machine.cost = {1: 0.1, 2: 0.9}
    for _ in range(4):
        machine.update()
    assert machine.threads == 1


def test_a_machine_that_gets_idle_is_noticed_at_the_next_trial(monkeypatch):
    machine = Machine(monkeypatch, {1: 0.1, 2: 1.5})
    for _ in range(2):  # one look at each is enough
        machine.update()
    assert machine.threads == 1
    machine.cost = {1: 0.1, 2: 0.06}
    machine.now += TRIAL_INTERVAL
    for _ in range(2 * TRIAL_UPDATES + 2):
        machine.update()
    assert machine.threads == 2


def test_with_one_core_there_is_nothing_to_choose(monkeypatch):
    calls = []
    tuner = ThreadTuner(1, calls.append)
    for _ in range(100):
        tuner.update_took(1.0, 1)
    assert calls == []


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
        tensors = RunDirectory.open(path).newest().path / "model.safetensors"
        digests.add(hashlib.sha256(tensors.read_bytes()).hexdigest())
    assert len(digests) == 1
