"""Each catalogued cell: its formula by hand, in NumPy, in PyTorch, and as the fused kernel."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from torch import nn

from seqrnn.catalog import CELLS, load
from seqrnn.cells import in_numpy

B, T, E, H = 3, 7, 4, 5

# sigmoid(ln 3) = 3/4, sigmoid(-ln 3) = 1/4, tanh(ln 2) = 3/5, tanh(1/2) = 0.46211715726
ONE_STEP = {
    # cell: (from_input, from_state, state), the new state
    "elman": ([[log(2) - 1]], [[1.0]], ([[9.0]],), ([[0.6]],)),
    "elman-relu": ([[0.75], [0.75]], [[-0.5], [-1.0]], ([[9.0], [9.0]],), ([[0.25], [0.0]],)),
    "gru": (
        [[log(3) - 1, 1.0, 0.0]],
        [[1.0, -log(3) - 1, log(2) / 0.75]],
        ([[0.2]],),
        ([[0.25 * 0.2 + 0.75 * 0.6]],),
    ),
    "lstm": (
        [[log(3) - 1, 1.0, log(2) + 2, 0.0]],
        [[1.0, -log(3) - 1, -2.0, log(3)]],
        ([[9.0]], [[0.2]]),
        ([[0.75 * 0.46211715726]], [[0.25 * 0.2 + 0.75 * 0.6]]),
    ),
}


@pytest.fixture(params=CELLS)
def name(request):
    return request.param


@pytest.fixture
def cell(name):
    return load(CELLS[name])


@pytest.fixture
def kernel(cell):
    torch.manual_seed(5)
    return getattr(nn, cell.fused)(E, H, **cell.fused_options).double()


@pytest.fixture
def start(cell):
    generator = torch.Generator().manual_seed(6)
    return tuple(torch.randn(B, H, dtype=torch.float64, generator=generator) for _ in cell.state_names)


@pytest.fixture
def x():
    return 2 * torch.randn(T, B, E, dtype=torch.float64, generator=torch.Generator().manual_seed(7))


def walk(xp, cell, parameters, x, state):
    """All outputs (T, B, H) and the last state, by the formula."""
    w_x, w_h, b_x, b_h = parameters
    outputs = []
    for x_t in x:
        state = cell.step(xp, x_t @ w_x.T + b_x, state[0] @ w_h.T + b_h, state)
        outputs.append(state[0])
    return (torch if xp is torch else np).stack(outputs), state


def test_one_step_is_what_a_hand_computes(name, cell):
    from_input, from_state, state, expected = ONE_STEP[name]
    found = cell.step(
        in_numpy, np.array(from_input), np.array(from_state), tuple(np.array(array) for array in state)
    )
    assert len(found) == len(cell.state_names)
    for array, by_hand in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, by_hand, atol=1e-11)


def test_the_formula_is_the_fused_kernel(cell, kernel, x, start):
    outputs, state = walk(torch, cell, list(kernel.parameters()), x, start)
    layered = tuple(array.unsqueeze(0) for array in start)
    fused, last = kernel(x, layered if len(layered) > 1 else layered[0])
    torch.testing.assert_close(outputs, fused, rtol=0, atol=1e-12)
    for array, other in zip(state, last if isinstance(last, tuple) else (last,), strict=True):
        torch.testing.assert_close(array, other.squeeze(0), rtol=0, atol=1e-12)


def test_numpy_and_torch_compute_the_same(cell, kernel, x, start):
    parameters = [parameter.detach() for parameter in kernel.parameters()]
    by_torch, state = walk(torch, cell, parameters, x, start)
    weights = [parameter.numpy() for parameter in parameters]
    by_numpy, arrays = walk(in_numpy, cell, weights, x.numpy(), [array.numpy() for array in start])
    np.testing.assert_allclose(by_numpy, by_torch.numpy(), rtol=0, atol=1e-12)
    for array, other in zip(arrays, state, strict=True):
        np.testing.assert_allclose(array, other.numpy(), rtol=0, atol=1e-12)


def test_the_formula_has_the_gradients_of_the_fused_kernel(cell, kernel, x, start):
    walk(torch, cell, list(kernel.parameters()), x, start)[0].sin().sum().backward()
    by_formula = [parameter.grad.clone() for parameter in kernel.parameters()]
    kernel.zero_grad()
    layered = tuple(array.unsqueeze(0) for array in start)
    kernel(x, layered if len(layered) > 1 else layered[0])[0].sin().sum().backward()
    for gradient, parameter in zip(by_formula, kernel.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=0, atol=1e-11)


def test_the_blocks_of_a_weight_are_the_gates(cell, kernel):
    assert kernel.weight_ih_l0.shape == (cell.gates * H, E)
    assert cell.state_names[0] == "h"


def test_the_logistic_function_does_not_overflow():
    with np.errstate(all="raise"):
        found = in_numpy.sigmoid(np.array([-1e300, -1000.0, 0.0, 1000.0, 1e300]))
    np.testing.assert_array_equal(found, [0.0, 0.0, 0.5, 1.0, 1.0])
