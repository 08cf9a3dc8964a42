"""`h_t = a_t * h_{t-1} + b_t` for all steps of a sequence.

Shapes: T time, B batch, H hidden.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

MIN_PARALLEL_STEPS = 64  # from which on a scan in parallel makes far fewer calls than a loop
MAX_PARALLEL_NUMBERS = 2**11  # of a step: with more, a CPU computes longer than it makes calls


class LinearScan(torch.autograd.Function):
    """From a_t and b_t side by side (T, B, 2 * H) and the state before (B, H) to every state (T, B, H).

    The gradient is the same recurrence from the last step to the first, `g_t = d_t + a_{t+1} * g_{t+1}`:
    that of b_t is g_t, and that of a_t is `g_t * h_{t-1}`. Autograd would keep several arrays a step.
    """

    @staticmethod
    def forward(ctx: Any, coefficients: Tensor, before: Tensor) -> Tensor:
        """Compute the states of one step or more."""
        a, b = coefficients.chunk(2, dim=2)
        states = _scan(a, b, before)
        ctx.save_for_backward(a, before, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients of the coefficients and of the state before."""
        a, before, states = ctx.saved_tensors
        backwards = _scan(a[1:].flip(0), gradient[:-1].flip(0), gradient[-1])  # (T - 1, B, H), the last first
        of_b = torch.cat([backwards.flip(0), gradient[-1:]])
        of_a = of_b * torch.cat([before.unsqueeze(0), states[:-1]])
        return torch.cat([of_a, of_b], dim=2), of_b[0] * a[0]


def linear_scan(coefficients: Tensor, before: Tensor) -> Tensor:
    """Return every state (T, B, H), of a_t and b_t side by side (T, B, 2 * H) and the state before (B, H)."""
    states: Tensor = LinearScan.apply(coefficients, before)  # type: ignore[no-untyped-call]
    return states


def _scan(a: Tensor, b: Tensor, before: Tensor) -> Tensor:
    """Compute the states, in parallel where making calls would take longer than computing them."""
    if len(a) == 0:
        return b
    few_numbers = a.is_cuda or before.numel() <= MAX_PARALLEL_NUMBERS
    if len(a) < MIN_PARALLEL_STEPS or not few_numbers:
        return _step_by_step(a, b, before)
    return _in_parallel(a, torch.cat([torch.addcmul(b[:1], a[:1], before), b[1:]]))


def _step_by_step(a: Tensor, b: Tensor, state: Tensor) -> Tensor:
    """Compute the states in as many calls as there are steps."""
    states = torch.empty_like(b, memory_format=torch.contiguous_format)
    for a_t, b_t, out in zip(a.unbind(), b.unbind(), states.unbind(), strict=True):
        state = torch.addcmul(b_t, a_t, state, out=out)
    return states


def _in_parallel(a: Tensor, b: Tensor) -> Tensor:
    """Compute the states, `h_0 = b_0`, in a few calls for each time that T can be halved.

    Two steps in a row are one of the same kind, `h_{t+1} = a_{t+1} a_t h_{t-1} + (a_{t+1} b_t + b_{t+1})`. So
    the states after pairs of steps are a scan of half the length, from which the others are one step away.
    No logarithms are taken and nothing is divided, so a_t may be 0 and the states have any sign.
    """
    if len(a) < 2:
        return b
    pairs = len(a) // 2 * 2
    first, second = a[:pairs:2], a[1:pairs:2]
    odd = _in_parallel(first * second, torch.addcmul(b[1:pairs:2], second, b[:pairs:2]))
    states = torch.empty_like(b, memory_format=torch.contiguous_format)
    states[0], states[1::2] = b[0], odd
    rest = b[2::2]
    torch.addcmul(rest, a[2::2], odd[: len(rest)], out=states[2::2])
    return states
