"""Learning rates computed by hand, and what an update rule does to which parameter."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
import torch
from torch import nn

from seqrnn.config import KEYS, TrainingConfig
from seqrnn.config_check import checked
from seqrnn.training.duration import Duration, parse_budget
from seqrnn.training.optimizer import Schedule, build_optimizer


@pytest.mark.parametrize(
    ("name", "fraction", "share"),
    [
        ("cosine", 0.0, 0.01),
        ("cosine", 0.1, 0.505),  # half of the warm-up
        ("cosine", 0.2, 1.0),
        ("cosine", 0.4, 0.5 * (1 + math.sqrt(0.5))),  # a quarter of the way down: cos(45 degrees)
        ("cosine", 0.6, 0.5),
        ("cosine", 1.0, 0.0),
        ("linear", 0.1, 0.505),
        ("linear", 0.4, 0.75),
        ("linear", 1.0, 0.0),
        ("constant", 0.1, 0.505),
        ("constant", 0.9, 1.0),
        ("plateau", 0.9, 1.0),
    ],
)
def test_the_rate_is_what_a_hand_computes(name, fraction, share):
    assert Schedule(name, peak=0.3, warmup=0.2).rate(fraction, 10**6) == pytest.approx(0.3 * share, abs=1e-12)


@pytest.mark.parametrize("name", ["cosine", "linear", "constant", "plateau"])
def test_without_a_warm_up_the_rate_begins_at_its_peak(name):
    assert Schedule(name, peak=0.3, warmup=0.0).rate(0.0, 0) == 0.3


def test_a_plateau_halves_the_rate_at_every_second_stale_evaluation():
    schedule = Schedule("plateau", peak=1.0, warmup=0.0)
    rates = []
    for stale in (0, 1, 2, 3, 4, 0, 1):
        schedule.observe(stale)
        rates.append(schedule.rate(0.5, 50))
    assert rates == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25]


def test_only_the_plateau_schedule_heeds_evaluations():
    schedule = Schedule("cosine", peak=1.0, warmup=0.0)
    schedule.observe(2)
    assert schedule.rate(0.0, 0) == 1.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("2h", 7200),
        ("1.5m", 90),
        ("1h30m", 5400),
        ("1d 2h", 93_600),
        ("0h0.5s", 0.5),
    ],
)
def test_a_budget_is_read_in_seconds(text, seconds):
    config = TrainingConfig(budget=text)
    assert Duration.of(config).seconds == parse_budget(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "10", "0s", "0h0m", "1m1h", "1h ", "1H", "-1s", "1e3s", "1.s", "\u0661s", "1s\n"]
)
def test_a_budget_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="must be a time such as 90s"):
        checked(KEYS["training.budget"], text)


def test_the_limit_that_is_nearest_decides_how_much_is_done():
    duration = Duration(seconds=100.0, epochs=10.0, steps=1000)
    assert duration.fraction(20.0, 3.0, 100) == 0.3
    assert duration.fraction(20.0, 3.0, 900) == 0.9
    assert duration.fraction(500.0, 3.0, 900) == 1.0
    assert Duration(None, None, 8).fraction(500.0, 3.0, 2) == 0.25


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_matrices_decay_and_vectors_do_not(optimizer):
    model = nn.Sequential(nn.Embedding(3, 2), nn.Linear(2, 4), nn.LSTM(4, 4))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    config = TrainingConfig(optimizer=optimizer, learning_rate=0.1, weight_decay=0.5)
    updates = build_optimizer(model, config)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    updates.step()
    for name, parameter in model.named_parameters():
        kept = 1.0 if "bias" in name else 0.95
        torch.testing.assert_close(parameter, kept * before[name])


def test_frozen_parameters_are_not_updated():
    model = nn.Linear(2, 4)
    model.weight.requires_grad = False
    updates = build_optimizer(model, TrainingConfig())
    assert [p is model.bias for group in updates.param_groups for p in group["params"]] == [True]


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_updates_are_those_of_the_optimizers_of_pytorch(name):
    """Ours leave out the decorators for PyTorch's compiler, and nothing else."""
    torch.manual_seed(3)
    ours = nn.Linear(5, 3)
    theirs = nn.Linear(5, 3)
    theirs.load_state_dict(ours.state_dict())
    config = TrainingConfig(optimizer=name, learning_rate=0.01, weight_decay=0.1, momentum=0.9)
    kinds = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    options = {"adamw": {"betas": (0.9, 0.99), "fused": True}, "sgd": {"momentum": 0.9}}
    groups = [
        {"params": [theirs.weight], "weight_decay": 0.1},
        {"params": [theirs.bias], "weight_decay": 0.0},
    ]
    optimizers = (build_optimizer(ours, config), kinds[name](groups, lr=0.01, **options[name]))
    for _ in range(20):
        x = torch.randn(7, 5)
        for model, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            model(x).square().sum().backward()
            optimizer.step()
    assert torch.equal(ours.weight, theirs.weight)
    assert torch.equal(ours.bias, theirs.bias)


ONE_UPDATE = """
import sys
import torch
from torch import nn
from seqrnn.backends.torch.cnn import CNN
from seqrnn.backends.torch.embedding import SumOfRows, TokenEmbedding
from seqrnn.config import KEYS, TrainingConfig
from seqrnn.config_check import checked
from seqrnn.training.optimizer import build_optimizer
model = nn.Linear(2, 2)
optimizer = build_optimizer(model, TrainingConfig(optimizer=sys.argv[1]))
nn.utils.clip_grad_norm_(model.parameters(), 1.0)
optimizer.step()
optimizer.zero_grad()
with torch.device("meta"):  # as where a run is opened: to know the shapes
    embedding, *_ = TokenEmbedding(5, 3, 0.0, 0.0), SumOfRows(5, 3, 0.0), CNN(3, 16, 4)
assert embedding.table.weight.is_meta
print("torch._dynamo" in sys.modules)
"""


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_nothing_pays_for_the_import_of_a_compiler(name):
    done = subprocess.run(
        [sys.executable, "-c", ONE_UPDATE, name], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False"]


def test_after_a_return_the_rate_is_half_and_rises_anew():
    schedule = Schedule("constant", peak=1.0, warmup=0.02)
    assert schedule.rate(0.5, 100) == 1.0
    schedule.begin_anew(100)
    assert schedule.rate(0.5, 100) == pytest.approx(0.005)
    assert schedule.rate(0.5, 120) == pytest.approx(0.5 * (0.01 + 0.99 * 0.5))
    assert schedule.rate(0.5, 140) == 0.5
