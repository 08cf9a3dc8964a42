"""Two computations that do not wait for each other, on two cores: both directions of a layer, there and back.

PyTorch divides a product among several cores, but operations follow one another: first one direction of a
layer, then the other, and so in the backward pass. Here each direction has a thread. What is computed is the
same to the last bit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Gradients = Sequence[Tensor | None]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Branch:
    """A computation of some tensors from `inputs`, and from `parameters` that it knows."""

    compute: Callable[[Sequence[Tensor]], Sequence[Tensor]]
    inputs: Sequence[Tensor]
    parameters: Sequence[Tensor]


def side_by_side(first: Branch, second: Branch) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
    """Return what two branches compute, as many tensors each; so do gradients flow back to both."""
    if not torch.is_grad_enabled():
        return _both(*(partial(branch.compute, branch.inputs) for branch in (first, second)))
    tensors = (*first.inputs, *first.parameters, *second.inputs, *second.parameters)
    found: tuple[Tensor, ...] = _SideBySide.apply((first, second), *tensors)  # type: ignore[no-untyped-call]
    return found[: len(found) // 2], found[len(found) // 2 :]


@dataclass(frozen=True)
class _Graph:
    """What a branch has computed, and the tensors that gradients are for."""

    leaves: Sequence[Tensor]
    outputs: Sequence[Tensor]

    @classmethod
    def of(cls, branch: Branch) -> _Graph:
        """Compute a branch, apart from what its inputs were computed by."""
        inputs = [tensor.detach().requires_grad_(tensor.requires_grad) for tensor in branch.inputs]
        with torch.enable_grad():
            return cls((*inputs, *branch.parameters), branch.compute(inputs))

    def gradients(self, of_outputs: Gradients) -> Gradients:
        """Return the gradient of each leaf, None where there is none."""
        known = [number for number, gradient in enumerate(of_outputs) if gradient is not None]
        wanted = [leaf for leaf in self.leaves if leaf.requires_grad]
        if not (known and wanted):
            return [None] * len(self.leaves)
        outputs = [self.outputs[number] for number in known]
        found = iter(
            torch.autograd.grad(outputs, wanted, [of_outputs[number] for number in known], allow_unused=True)
        )
        return [next(found) if leaf.requires_grad else None for leaf in self.leaves]


class _SideBySide(torch.autograd.Function):
    """Two branches as one operation, whose backward pass has two threads as well."""

    @staticmethod
    def forward(ctx: Any, branches: tuple[Branch, Branch], *_: Tensor) -> tuple[Tensor, ...]:
        """Compute both; the tensors are theirs, named for the gradients that shall flow to them."""
        ctx.graphs = _both(*(partial(_Graph.of, branch) for branch in branches))
        ctx.set_materialize_grads(False)
        return tuple(output.detach() for graph in ctx.graphs for output in graph.outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        """Go back through both."""
        half = len(gradients) // 2
        parts = gradients[:half], gradients[half:]
        found = _both(*(partial(g.gradients, part) for g, part in zip(ctx.graphs, parts, strict=True)))
        return (None, *found[0], *found[1])


def _both(first: Callable[[], Found], second: Callable[[], Found]) -> tuple[Found, Found]:
    """Call two functions at the same time, the second in a thread of its own."""
    other = _thread().submit(_under_these_settings(second))
    try:
        found = first()
    finally:
        found_too = other.result()
    return found, found_too


def _under_these_settings(task: Callable[[], Found]) -> Callable[[], Found]:
    """Return a function that calls another one, in any thread, as it would run in this one.

    Each thread has its own number of threads for a product, and is told for itself what is recorded for
    gradients and in which precision is computed.
    """
    threads, gradients = torch.get_num_threads(), torch.is_grad_enabled()
    inference = torch.is_inference_mode_enabled()
    precision, lowered = torch.get_autocast_dtype("cpu"), torch.is_autocast_enabled("cpu")

    def call() -> Found:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        with (
            torch.inference_mode(inference),
            torch.set_grad_enabled(gradients),
            torch.autocast("cpu", precision, lowered),
        ):
            return task()

    return call


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "second-direction")


os.register_at_fork(after_in_child=_thread.cache_clear)  # threads do not come along
