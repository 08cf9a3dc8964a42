"""Positions that are pooled into one state."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from seqrnn.backends.torch.ops import TorchOps
from seqrnn.cells.sizes import RNNSizes
from seqrnn.networks.grid_encoder import GridEncoder, PooledMLP


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(1)


def test_one_pooled_vector_is_a_feed_forward_network():
    root = nn.Module()
    pooled = PooledMLP(TorchOps(root, True), RNNSizes(3, 4, num_layers=2))
    x = torch.randn(5, 1, 3)
    first, second = root.layers.children()
    expected = second(first(x[:, 0]).relu()).relu()
    torch.testing.assert_close(pooled(x), expected)


def test_positions_are_pooled_by_the_largest_of_all_positions_in_any_order():
    pooled = PooledMLP(TorchOps(nn.Module(), True), RNNSizes(3, 4))
    x = torch.randn(5, 6, 3)
    by_position = torch.stack([pooled(x[:, position : position + 1]) for position in range(6)])
    torch.testing.assert_close(pooled(x), by_position.amax(dim=0))
    torch.testing.assert_close(pooled(x.flip(1)), pooled(x))


def test_the_pooled_state_of_positions_is_the_last_state_of_every_layer():
    encoder = GridEncoder(TorchOps(nn.Module(), True), RNNSizes(3, 4, num_layers=2), arrays=2)
    last = encoder(torch.randn(5, 6, 3))
    assert [len(state) for state in last] == [2, 2]
    for state in last:
        for array in state:
            torch.testing.assert_close(array.mean(dim=1), torch.zeros(5), atol=1e-5, rtol=0)
            torch.testing.assert_close(array, last[0][0])
