"""Losses against sums made by hand."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from seqrnn.backends.torch.loss import (
    PLAIN,
    Objective,
    binary_cross_entropy,
    cross_entropy,
    known_cross_entropy,
)

LOGITS = torch.tensor([[math.log(0.5), math.log(0.25), math.log(0.25)], [0.0, 0.0, 0.0]])


def test_the_loss_is_a_sum_over_the_targets():
    total = cross_entropy(LOGITS, torch.tensor([0, 2]), PLAIN)
    assert total.item() == pytest.approx(math.log(2) + math.log(3))


def test_padding_does_not_count():
    total = cross_entropy(LOGITS, torch.tensor([1, 0]), PLAIN, ignore=0)
    assert total.item() == pytest.approx(math.log(4))


def test_targets_that_the_model_does_not_have_cost_nothing_and_do_not_count():
    found = known_cross_entropy(LOGITS[[0, 1, 0, 1]], torch.tensor([0, 3, 700, 2]), Objective(0.0))
    assert (found.total.item(), found.count) == (pytest.approx(math.log(2) + math.log(3)), 2)
    none = known_cross_entropy(LOGITS, torch.tensor([3, 4]), Objective(0.1))
    assert (none.total.item(), none.count) == (0.0, 0)


def test_label_smoothing_is_the_one_of_pytorch():
    torch.manual_seed(1)
    logits, targets = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 1, 1])
    total = cross_entropy(logits, targets, Objective(0.2))
    assert total.item() == pytest.approx(6 * F.cross_entropy(logits, targets, label_smoothing=0.2).item())
    log_probs = logits.log_softmax(dim=1)
    by_hand = -0.8 * log_probs[torch.arange(6), targets].sum() - 0.2 * log_probs.mean(dim=1).sum()
    assert total.item() == pytest.approx(by_hand.item())


def test_a_weight_multiplies_the_loss_of_its_class():
    weights = torch.tensor([3.0, 1.0, 0.5])
    total = cross_entropy(LOGITS, torch.tensor([0, 2]), Objective(class_weights=weights))
    assert total.item() == pytest.approx(3 * math.log(2) + 0.5 * math.log(3))


def test_the_loss_is_computed_in_full_precision():
    total = cross_entropy(LOGITS.bfloat16(), torch.tensor([0, 2]), PLAIN)
    assert total.dtype == torch.float32


def test_the_binary_loss_is_a_sum_over_examples_and_labels():
    logits, targets = torch.tensor([[math.log(3), 0.0]]), torch.tensor([[1, 0]])
    assert binary_cross_entropy(logits, targets, PLAIN).item() == pytest.approx(math.log(4 / 3) + math.log(2))
    smoothed = binary_cross_entropy(logits, targets, Objective(0.5))
    by_hand = 0.75 * math.log(4 / 3) + 0.25 * math.log(4) + math.log(2)
    assert smoothed.item() == pytest.approx(by_hand)
    weighted = binary_cross_entropy(logits, targets, Objective(class_weights=torch.tensor([5.0, 7.0])))
    assert weighted.item() == pytest.approx(5 * math.log(4 / 3) + math.log(2))
