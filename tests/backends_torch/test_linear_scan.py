"""A linear recurrence computed at once is the one computed step by step, with its gradients, however long."""

from __future__ import annotations

import pytest
import torch

from seqrnn.backends.torch import linear_scan as module
from seqrnn.backends.torch.linear_scan import linear_scan

WAYS = {"step by step": 10**9, "in parallel": 1}


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    monkeypatch.setattr(module, "MIN_PARALLEL_STEPS", WAYS[request.param])


def by_definition(coefficients, state):
    a, b = coefficients.chunk(2, dim=2)
    states = []
    for a_t, b_t in zip(a, b, strict=True):
        state = a_t * state + b_t
        states.append(state)
    return torch.stack(states)


def drawn(steps, dtype=torch.float64):
    """Coefficients (T, 3, 8), among them an a_t of 0 and of 1, and a state (3, 4) of both signs."""
    generator = torch.Generator().manual_seed(steps)
    coefficients = torch.randn(steps, 3, 8, dtype=dtype, generator=generator)
    coefficients[:, :, :4].sigmoid_()
    coefficients[steps // 2, 0, 0], coefficients[steps // 2, 1, 0] = 0.0, 1.0
    return coefficients.requires_grad_(), torch.randn(3, 4, dtype=dtype, generator=generator).requires_grad_()


def gradients(function, coefficients, state):
    states = function(coefficients, state)
    weights = torch.randn(states.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (states * weights.to(states.dtype)).sum().backward()
    found = states.detach(), coefficients.grad, state.grad
    coefficients.grad = state.grad = None
    return found


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 8, 33])
def test_states_and_gradients_are_those_of_the_definition(steps):
    given = drawn(steps)
    found, expected = gradients(linear_scan, *given), gradients(by_definition, *given)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.usefixtures("way")
def test_the_gradient_of_a_part_of_the_states_is_right():
    coefficients, state = drawn(6)
    assert torch.autograd.gradcheck(lambda c, s: linear_scan(c, s)[2::2], (coefficients, state))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("gate", [-12.0, 0.0, 12.0])  # it keeps next to all, half, and next to nothing
def test_thousands_of_steps_in_single_precision_are_exact(gate):
    generator = torch.Generator().manual_seed(2)
    z = torch.sigmoid(gate + torch.randn(4096, 2, 16, generator=generator))
    single = torch.cat([1 - z, z * torch.randn(z.shape, generator=generator)], dim=2).requires_grad_()
    double = single.detach().double().requires_grad_()
    state = torch.randn(2, 16, generator=generator)
    found = gradients(linear_scan, single, state.requires_grad_())
    expected = gradients(by_definition, double, state.detach().double().requires_grad_())
    for array, exact in zip(found, expected, strict=True):
        assert array.isfinite().all()
        largest = exact.abs().max().item()
        torch.testing.assert_close(array.double(), exact, rtol=1e-4, atol=2e-5 * largest)


def test_many_calls_are_avoided_where_a_step_is_small(monkeypatch):
    chosen = []
    for name in ("_step_by_step", "_in_parallel"):
        monkeypatch.setattr(module, name, lambda *args, name=name: chosen.append(name) or args[1])
    for steps, rows in ((200, 1), (200, 10_000), (2, 1)):
        linear_scan(torch.zeros(steps, rows, 2), torch.zeros(rows, 1))
    assert chosen == ["_in_parallel", "_step_by_step", "_step_by_step"]
