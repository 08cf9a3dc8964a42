"""Dropout by 16 random bits a value, beside PyTorch's own."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from seqrnn.backends.torch.dropout import AT_ONCE, Dropout

COUNT = 400_000


@pytest.mark.parametrize("share", [0.001, 0.1, 0.25, 0.5, 0.9])
def test_as_many_values_are_dropped_as_asked_wherever_they_stand(share):
    torch.manual_seed(1)
    y = Dropout(share)(torch.ones(COUNT))
    for lane in range(AT_ONCE):  # of each integer that is drawn: its sign is in one of them
        dropped = (y[lane::AT_ONCE] == 0).float()
        deviation = math.sqrt(share * (1 - share) / len(dropped))
        assert abs(float(dropped.mean()) - share) < 4.5 * deviation + 2**-16
    assert y.unique().tolist() == pytest.approx([0.0, 1.0 / (1.0 - share)])


def test_values_are_dropped_independently_of_their_neighbours():
    torch.manual_seed(2)
    dropped = (Dropout(0.5)(torch.ones(COUNT)) == 0).float() - 0.5
    for distance in range(1, 9):
        assert abs(float((dropped[:-distance] * dropped[distance:]).mean())) < 4.5 * 0.25 / math.sqrt(COUNT)


def test_gradients_are_those_of_pytorch_for_the_same_mask():
    x = torch.randn(7, 5, 3, requires_grad=True)
    weights = torch.randn_like(x)
    y = Dropout(0.3)(x)
    (y * weights).sum().backward()
    kept = (y != 0).float()
    torch.testing.assert_close(x.grad, weights * kept / 0.7)
    torch.testing.assert_close(y, x * kept / 0.7)


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_nothing_is_dropped_when_a_model_answers_or_nothing_is_asked(share):
    x = torch.randn(4, 3)
    layer = Dropout(share)
    assert torch.equal(layer.eval()(x), x)
    assert torch.equal(layer.train()(x), x) == (share == 0.0)


def test_a_seed_gives_the_same_mask_whatever_the_shape_and_an_empty_one_none():
    layer, masks = Dropout(0.5), []
    for shape in ((3, 5), (5, 3)):
        torch.manual_seed(3)
        masks.append(layer(torch.ones(shape)).flatten())
    assert torch.equal(*masks)
    assert layer(torch.ones(0, 4)).shape == (0, 4)


def test_in_half_precision_the_mean_stays():
    torch.manual_seed(4)
    y = Dropout(0.3)(torch.full((COUNT,), 2.0, dtype=torch.bfloat16))
    assert y.dtype == torch.bfloat16
    largest = nn.Dropout(0.3)(torch.full((1000,), 2.0, dtype=torch.bfloat16)).max()
    assert y.max() == largest
