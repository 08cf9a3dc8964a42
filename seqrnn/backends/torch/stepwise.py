"""Gated cells step by step over packed rows, with backward passes of their own.

A step is one product with W_h and a few calls on the rows that have not ended, and backwards the same again.
All steps together take one product for their inputs before, and one for the gradient of W_h after. PyTorch's
kernel of the LSTM is as fast for whole batches, but slow to call; its GRU and its simple network call as many
operators at each step, and have autograd remember them all.

Shapes: B batch, H hidden size, G gates; n rows of a step, N of all steps, packed as `Packed` has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_through_sigmoid = torch.ops.aten.sigmoid_backward.grad_input
_through_tanh = torch.ops.aten.tanh_backward.grad_input


@dataclass(frozen=True)
class Steps:
    """Which rows each step of a batch has, the longest sequences first."""

    lengths: Tensor  # (B,), descending
    sizes: tuple[int, ...]  # how many rows have not ended at each step, all above 0
    numbers: Tensor  # (N,): the step of each packed row
    rows: Tensor  # (N,): and its row

    @classmethod
    def of(cls, lengths: Tensor) -> Steps:
        """Describe sequences of descending `lengths` (B,)."""
        longest = int(lengths[0]) if len(lengths) else 0
        running = torch.arange(longest).unsqueeze(1) < lengths  # (T, B)
        numbers, rows = running.nonzero(as_tuple=True)
        return cls(lengths, tuple(running.sum(dim=1).tolist()), numbers, rows)

    @cached_property
    def starts(self) -> Tensor:
        """Where each step begins among the packed rows, (T,)."""
        sizes = torch.tensor(self.sizes, dtype=torch.int64)
        return sizes.cumsum(0) - sizes

    @cached_property
    def before(self) -> Tensor:
        """Of each packed row the one a step before, (N,): first the B rows of a state, then all packed."""
        first = self.sizes[0] if self.sizes else 0
        later = self.starts[self.numbers[first:] - 1] + self.rows[first:] + len(self.lengths)
        return torch.cat([self.rows[:first], later])

    @cached_property
    def last(self) -> Tensor:
        """Of each sequence its last row, (B,), counted in the same way."""
        rows, some = torch.arange(len(self.lengths)), self.lengths > 0
        at = self.starts[self.lengths[some] - 1] + rows[some] + len(rows)
        return torch.cat([at, rows[len(at) :]])

    def cut(self, x: Tensor) -> tuple[Tensor, ...]:
        """Cut (N, H) into the rows (n, H) of each step."""
        return torch.split(x, list(self.sizes))

    def states_before(self, first: Tensor, all_steps: Tensor) -> Tensor:
        """Return what each packed row comes from, (N, H): a row of `first` (B, H) or `all_steps` (N, H)."""
        return torch.cat([first, all_steps]).index_select(0, self.before)

    def last_states(self, first: Tensor, all_steps: Tensor) -> Tensor:
        """Return the last state of each sequence, (B, H)."""
        return torch.cat([first, all_steps]).index_select(0, self.last)


class LSTMSteps(torch.autograd.Function):
    """All steps of an LSTM: outputs (N, H), last output and last memory (B, H)."""

    @staticmethod
    def forward(  # noqa: PLR0917
        ctx: Any, projected: Tensor, weight: Tensor, bias: None, steps: Steps, h: Tensor, c: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Go forwards, from what the inputs bring (N, 4 * H), both biases included; W_h is (4 * H, H)."""
        assert bias is None
        gates = torch.empty_like(projected)
        y, memory, squashed = (projected.new_empty(len(projected), h.shape[1]) for _ in range(3))
        blocks = zip(
            *map(steps.cut, (projected, gates, y, memory, squashed, *_lstm_gates(gates))), strict=True
        )
        transposed, output, cell = weight.t(), h, c
        for inputs, all_gates, new, kept, bounded, both, i, f, g, o in blocks:
            rows = len(new)
            torch.addmm(inputs, output[:rows], transposed, out=all_gates)
            both.sigmoid_()
            g.tanh_()
            o.sigmoid_()
            torch.mul(f, cell[:rows], out=kept).addcmul_(i, g)
            torch.tanh(kept, out=bounded)
            torch.mul(o, bounded, out=new)
            output, cell = new, kept
        ctx.save_for_backward(weight, h, c, gates, y, memory, squashed)
        ctx.steps = steps
        return y, steps.last_states(h, y), steps.last_states(c, memory)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_y: Tensor, of_h: Tensor, of_c: Tensor) -> tuple[Tensor | None, ...]:
        """Go backwards; `of_h` and `of_c` become the gradients of the states before each step."""
        weight, h, c, gates, y, memory, squashed = ctx.saved_tensors
        steps: Steps = ctx.steps
        found, before = torch.empty_like(gates), steps.states_before(c, memory)
        of_h, of_c, spare = of_h.clone(), of_c.clone(), torch.empty_like(of_c)
        wholes = (of_y, squashed, before, found, *_lstm_gates(gates), *_lstm_gates(found))
        blocks = list(zip(*map(steps.cut, wholes), strict=True))
        for given, bounded, cell, of_all, both, i, f, g, o, of_both, of_i, of_f, of_g, of_o in blocks[::-1]:
            rows = len(given)
            output, kept, through = of_h[:rows].add_(given), of_c[:rows], spare[:rows]
            torch.mul(output, o, out=through)
            kept.add_(_through_tanh(through, bounded, grad_input=through))
            torch.mul(output, bounded, out=of_o)
            torch.mul(kept, g, out=of_i)
            torch.mul(kept, cell, out=of_f)
            torch.mul(kept, i, out=of_g)
            _through_sigmoid(of_both, both, grad_input=of_both)
            _through_tanh(of_g, g, grad_input=of_g)
            _through_sigmoid(of_o, o, grad_input=of_o)
            kept.mul_(f)
            torch.mm(of_all, weight, out=output)
        return found, found.t() @ steps.states_before(h, y), None, None, of_h, of_c


def _lstm_gates(x: Tensor) -> tuple[Tensor, ...]:
    """Cut (N, 4 * H) into input and forget gate together, and into each of the four."""
    size = x.shape[1] // 4
    return x[:, : 2 * size], *torch.split(x, size, dim=1)


class GRUSteps(torch.autograd.Function):
    """All steps of a GRU: outputs (N, H) and the last one of each sequence (B, H)."""

    @staticmethod
    def forward(  # noqa: PLR0917
        ctx: Any, projected: Tensor, weight: Tensor, bias: Tensor, steps: Steps, h: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Go forwards, from what the inputs bring (N, 3 * H); W_h is (3 * H, H) and its bias (3 * H,)."""
        gates, products = torch.empty_like(projected), torch.empty_like(projected)
        y = projected.new_empty(len(projected), h.shape[1])
        inputs, _, _, inputs_n = _gru_gates(projected)
        states, _, _, states_n = _gru_gates(products)
        wholes = (inputs, inputs_n, states, states_n, products, y, *_gru_gates(gates))
        transposed, output = weight.t(), h
        for given, given_n, state, state_n, product, new, both, r, z, n in zip(
            *map(steps.cut, wholes), strict=True
        ):
            old = output[: len(new)]
            torch.addmm(bias, old, transposed, out=product)
            torch.add(given, state, out=both).sigmoid_()
            torch.addcmul(given_n, r, state_n, out=n).tanh_()
            output = torch.sub(old, n, out=new).mul_(z).add_(n)
        ctx.save_for_backward(weight, h, gates, states_n, y)
        ctx.steps = steps
        return y, steps.last_states(h, y)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_y: Tensor, of_h: Tensor) -> tuple[Tensor | None, ...]:
        """Go backwards; `of_h` becomes the gradient of the output before each step."""
        weight, h, gates, states_n, y = ctx.saved_tensors
        steps: Steps = ctx.steps
        of_inputs, of_products = torch.empty_like(gates), torch.empty_like(gates)
        before, of_h, spare = steps.states_before(h, y), of_h.clone(), torch.empty_like(of_h)
        both_of_products, _, _, n_of_products = _gru_gates(of_products)
        parts = _gru_gates(gates)
        wholes = (of_y, states_n, before - parts[-1], of_products, both_of_products, n_of_products)
        blocks = list(zip(*map(steps.cut, (*wholes, *parts, *_gru_gates(of_inputs))), strict=True))
        for given, state, apart, of_all, copied, of_state, both, r, z, n, of_both, of_r, of_z, of_n in blocks[
            ::-1
        ]:
            rows = len(given)
            output, kept = of_h[:rows].add_(given), spare[:rows]
            torch.mul(output, z, out=kept)
            torch.mul(output, apart, out=of_z)
            torch.sub(output, kept, out=of_n)
            _through_tanh(of_n, n, grad_input=of_n)
            torch.mul(of_n, state, out=of_r)
            torch.mul(of_n, r, out=of_state)
            copied.copy_(_through_sigmoid(of_both, both, grad_input=of_both))
            torch.addmm(kept, of_all, weight, out=output)
        return of_inputs, of_products.t() @ before, of_products.sum(dim=0), None, of_h


def _gru_gates(x: Tensor) -> tuple[Tensor, ...]:
    """Cut (N, 3 * H) into both gates together, into each of them, and the candidate."""
    size = x.shape[1] // 3
    return x[:, : 2 * size], *torch.split(x, size, dim=1)


class ElmanSteps(torch.autograd.Function):
    """All steps of an Elman network: outputs (N, H) and the last one of each sequence (B, H)."""

    @staticmethod
    def forward(  # noqa: PLR0917
        ctx: Any, projected: Tensor, weight: Tensor, bias: None, steps: Steps, h: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Go forwards, from what the inputs bring (N, H), both biases included; W_h is (H, H)."""
        assert bias is None
        return _elman_forward(ctx, (projected, weight, h), steps, torch.Tensor.tanh_)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_y: Tensor, of_h: Tensor) -> tuple[Tensor | None, ...]:
        """Go backwards."""
        return _elman_backward(ctx, of_y, of_h, _through_tanh)


class ElmanReLUSteps(torch.autograd.Function):
    """The same with the larger of each sum and 0."""

    @staticmethod
    def forward(  # noqa: PLR0917
        ctx: Any, projected: Tensor, weight: Tensor, bias: None, steps: Steps, h: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Go forwards."""
        assert bias is None
        return _elman_forward(ctx, (projected, weight, h), steps, torch.Tensor.relu_)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_y: Tensor, of_h: Tensor) -> tuple[Tensor | None, ...]:
        """Go backwards."""
        return _elman_backward(ctx, of_y, of_h, _through_relu)


def _elman_forward(
    ctx: Any, given: tuple[Tensor, Tensor, Tensor], steps: Steps, activate: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    projected, weight, h = given
    y = torch.empty_like(projected)
    transposed, output = weight.t(), h
    for inputs, new in zip(steps.cut(projected), steps.cut(y), strict=True):
        output = activate(torch.addmm(inputs, output[: len(new)], transposed, out=new))
    ctx.save_for_backward(weight, h, y)
    ctx.steps = steps
    return y, steps.last_states(h, y)


def _elman_backward(
    ctx: Any, of_y: Tensor, of_h: Tensor, through: Callable[..., Tensor]
) -> tuple[Tensor | None, ...]:
    weight, h, y = ctx.saved_tensors
    steps: Steps = ctx.steps
    found, of_h = torch.empty_like(y), of_h.clone()
    for given, result, new in list(zip(*map(steps.cut, (of_y, y, found)), strict=True))[::-1]:
        output = of_h[: len(given)]
        through(output.add_(given), result, grad_input=new)
        torch.mm(new, weight, out=output)
    return found, found.t() @ steps.states_before(h, y), None, None, of_h


def _through_relu(gradient: Tensor, output: Tensor, grad_input: Tensor) -> Tensor:
    """Return the gradient where the output is above 0."""
    return torch.mul(gradient, output > 0, out=grad_input)


STEP_FUNCTIONS: Mapping[tuple[str | None, str | None], type[torch.autograd.Function]] = {
    ("LSTM", None): LSTMSteps,
    ("GRU", None): GRUSteps,
    ("RNN", "tanh"): ElmanSteps,
    ("RNN", "relu"): ElmanReLUSteps,
}
"""What computes the steps of a class of `torch.nn` with a nonlinearity."""
