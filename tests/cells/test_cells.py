"""Each catalogued cell: its formula by hand, in NumPy, in PyTorch, and as the fused kernel."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from torch import nn

from seqrnn.backends.numpy import cell_functions as numpy_functions
from seqrnn.backends.torch import cell_functions as torch_functions
from seqrnn.catalog import CELLS, load
from seqrnn.cells.gated_cell import GatedCell

B, T, E, H = 3, 7, 4, 5

# sigmoid(ln 3) = 3/4, sigmoid(-ln 3) = 1/4, tanh(ln 2) = 3/5, tanh(1/2) = 0.46211715726
ONE_STEP = {
    # cell: (what both affine maps give, side by side, or all of the input's), state, the new state
    "elman": (([[log(2) - 1]], [[1.0]]), ([[9.0]],), ([[0.6]],)),
    "elman-relu": (([[0.75], [0.75]], [[-0.5], [-1.0]]), ([[9.0], [9.0]],), ([[0.25], [0.0]],)),
    "gru": (
        ([[log(3) - 1, 1.0, 0.0]], [[1.0, -log(3) - 1, log(2) / 0.75]]),
        ([[0.2]],),
        ([[0.25 * 0.2 + 0.75 * 0.6]],),
    ),
    "lstm": (
        ([[log(3) - 1, 1.0, log(2) + 2, 0.0]], [[1.0, -log(3) - 1, -2.0, log(3)]]),
        ([[9.0]], [[0.2]]),
        ([[0.75 * 0.46211715726]], [[0.25 * 0.2 + 0.75 * 0.6]]),
    ),
    "mingru": (
        ([[log(3), 2.0], [log(3), -log(3)]],),
        ([[0.2], [-0.2]],),
        ([[0.25 * 0.2 + 0.75 * 2.0], [0.25 * -0.2 - 0.75 * log(3)]],),
    ),
    "minlstm": (  # 3/4 and 1/4, of their sum 1
        ([[log(3), -log(3), 2.0], [-log(3), log(3), -log(3)]],),
        ([[0.2], [-0.2]],),
        ([[0.75 * 0.2 + 0.25 * 2.0], [0.25 * -0.2 - 0.75 * log(3)]],),
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
    if cell.torch_kernel is None:
        pytest.skip("no class of torch.nn computes this cell")
    torch.manual_seed(5)
    return getattr(nn, cell.torch_kernel)(E, H, **cell.torch_options).double()


@pytest.fixture
def parameters(cell):
    """The parameters by name, which learn."""
    generator = torch.Generator().manual_seed(5)
    return {
        name: (torch.rand(shape, dtype=torch.float64, generator=generator) - 0.5).requires_grad_()
        for name, shape in cell.parameters(E, H).items()
    }


@pytest.fixture
def start(cell):
    generator = torch.Generator().manual_seed(6)
    return tuple(
        torch.randn(B, *shape, dtype=torch.float64, generator=generator) for shape in cell.state(H).values()
    )


@pytest.fixture
def x():
    return 2 * torch.randn(T, B, E, dtype=torch.float64, generator=torch.Generator().manual_seed(7))


def walk(xp, cell, parameters, x, state):
    """All outputs (T, B, H) and the last state, by the formula."""
    outputs = []
    for projected in cell.project(xp, parameters, x):
        state = cell.step(xp, parameters, projected, state)
        outputs.append(state[0])
    return (torch if xp is torch_functions else np).stack(outputs), state


def run_kernel(kernel, x, start):
    """All outputs (T, B, H) and the last state, by a class of `torch.nn`."""
    layered = tuple(array.unsqueeze(0) for array in start)
    outputs, last = kernel(x, layered if len(layered) > 1 else layered[0])
    return outputs, tuple(array.squeeze(0) for array in (last if isinstance(last, tuple) else (last,)))


def test_one_step_is_what_a_hand_computes(name, cell):
    given, state, expected = ONE_STEP[name]
    maps, before = list(map(np.array, given)), tuple(map(np.array, state))
    if issubclass(cell, GatedCell):
        found = cell.combine(numpy_functions, *maps, before)
    else:
        p = {"weight": np.eye(maps[0].shape[1]), "bias": np.zeros(1)}  # the maps give what is given
        found = cell.step(numpy_functions, p, cell.project(numpy_functions, p, maps[0]), before)
    assert len(found) == len(cell.state(H))
    for array, by_hand in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, by_hand, atol=1e-11)


def test_the_formula_is_the_fused_kernel(cell, kernel, x, start):
    outputs, state = walk(torch_functions, cell, dict(kernel.named_parameters()), x, start)
    fused, last = run_kernel(kernel, x, start)
    torch.testing.assert_close(outputs, fused, rtol=0, atol=1e-12)
    torch.testing.assert_close(state, last, rtol=0, atol=1e-12)


def test_numpy_and_torch_compute_the_same(cell, parameters, x, start):
    by_torch, state = walk(torch_functions, cell, parameters, x, start)
    weights = {name: parameter.detach().numpy() for name, parameter in parameters.items()}
    for given in (weights, cell.folded(weights)):
        by_numpy, arrays = walk(numpy_functions, cell, given, x.numpy(), [array.numpy() for array in start])
        np.testing.assert_allclose(by_numpy, by_torch.detach().numpy(), rtol=0, atol=1e-12)
        for array, other in zip(arrays, state, strict=True):
            np.testing.assert_allclose(array, other.detach().numpy(), rtol=0, atol=1e-12)


def test_the_formula_has_the_gradients_of_the_fused_kernel(cell, kernel, x, start):
    walk(torch_functions, cell, dict(kernel.named_parameters()), x, start)[0].sin().sum().backward()
    by_formula = [parameter.grad.clone() for parameter in kernel.parameters()]
    kernel.zero_grad()
    run_kernel(kernel, x, start)[0].sin().sum().backward()
    for gradient, parameter in zip(by_formula, kernel.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=0, atol=1e-11)


def test_a_cell_has_the_parameters_of_its_kernel_in_their_order(cell, kernel):
    own = [(name, tuple(parameter.shape)) for name, parameter in kernel.named_parameters()]
    assert list(cell.parameters(E, H).items()) == own


def test_sizes_are_those_of_what_is_computed(cell, parameters, x, start):
    projected = cell.project(torch_functions, parameters, x)
    assert projected.shape == (T, B, cell.projection_size(H))
    new = cell.step(torch_functions, parameters, projected[0], start)
    assert [array.shape[1:] for array in new] == list(cell.state(H).values())
    assert next(iter(cell.state(H).items())) == ("h", (H,))


def test_nothing_that_is_given_is_changed(cell, parameters, x, start):
    weights = {name: parameter.detach().numpy() for name, parameter in parameters.items()}
    projected = cell.project(numpy_functions, weights, x.numpy())
    given = [projected[0], *(array.numpy() for array in start), *weights.values()]
    copies = [array.copy() for array in given]
    cell.step(numpy_functions, weights, projected[0], tuple(array.numpy() for array in start))
    for array, copy in zip(given, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_the_logistic_function_does_not_overflow():
    with np.errstate(all="raise"):
        found = numpy_functions.sigmoid(np.array([-1e300, -1000.0, 0.0, 1000.0, 1e300]))
    np.testing.assert_array_equal(found, [0.0, 0.0, 0.5, 1.0, 1.0])


@pytest.mark.parametrize("large", [30.0, 1e4])
def test_gates_that_are_shut_leave_finite_states(large):
    """Both gates of a minLSTM may round to zero, and their shares are still those of their ratio."""
    cell = load(CELLS["minlstm"])
    maps = np.array([[-large, -large, 2.0], [-large - 1, -large, 2.0]], dtype=np.float32)
    for xp, to_array in ((numpy_functions, np.asarray), (torch_functions, torch.from_numpy)):
        p = {"weight": to_array(np.eye(3, dtype=np.float32)), "bias": to_array(np.zeros(3, dtype=np.float32))}
        projected = cell.project(xp, p, to_array(maps))
        shares = [0.5, 1 / (1 + np.e)]
        np.testing.assert_allclose(projected[:, 0], shares, rtol=1e-3)
        np.testing.assert_allclose(projected[:, 1], [2.0 * (1 - share) for share in shares], rtol=1e-3)
