"""What an update rule does to which parameter."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from seqrnn.config import TrainingConfig
from seqrnn.training.optimizer import build_optimizer


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
