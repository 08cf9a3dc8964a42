"""The network over images: positions row by row, each image for itself."""

from __future__ import annotations

import pytest
import torch

from seqrnn.backends.torch.cnn import CNN


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(1)


def images(count=5, side=32):
    return torch.randn(count, 3, side, side)


@pytest.mark.parametrize(("side", "positions"), [(8, 64), (16, 64), (32, 64), (33, 25), (50, 49), (64, 64)])
def test_any_side_gives_at_most_8_x_8_positions(side, positions):
    network = CNN(3, side, 4)
    assert network(images(2, side)).shape == (2, positions, network.size)


def test_each_block_doubles_the_maps():
    assert CNN(3, 64, 4).size == 16
    assert CNN(3, 32, 4).size == 8


@pytest.mark.parametrize(("maps", "groups"), [(1, 1), (5, 5), (9, 3), (11, 1), (12, 6), (48, 8)])
def test_any_number_of_maps_is_normalised_in_groups(maps, groups):
    assert [m.num_groups for m in CNN(3, 16, maps).modules() if hasattr(m, "num_groups")] == [groups]


def test_an_image_of_few_pixels_is_read_as_it_is():
    network = CNN(3, 8, 4)
    x = images(2, 8)
    expected = torch.nn.functional.layer_norm(x.permute(0, 2, 3, 1), (3,)).flatten(1, 2)
    torch.testing.assert_close(network(x), expected)


@torch.inference_mode()
def test_an_image_is_read_the_same_in_every_batch():
    network = CNN(3, 32, 8).eval()
    x = images()
    together = network(x)
    for number, image in enumerate(x):
        torch.testing.assert_close(network(image[None])[0], together[number], atol=1e-5, rtol=0)


@torch.inference_mode()
def test_positions_come_row_by_row():
    network = CNN(3, 32, 8).eval()
    nothing = torch.zeros(1, 3, 32, 32)
    spot = nothing.clone()
    spot[:, :, 20:24, 8:12] = 3.0  # row 5, column 2 of 8
    changed = (network(spot) - network(nothing)).abs().sum(dim=2)[0]
    # All positions change a little, because a group of maps is normalised over the image.
    assert int(changed.argmax()) // 8 in {5, 6}
    assert int(changed.argmax()) % 8 in {2, 3}


def test_every_weight_has_a_gradient():
    network = CNN(3, 32, 4)
    network(images()).square().mul(torch.rand(64, 8)).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in network.parameters())
