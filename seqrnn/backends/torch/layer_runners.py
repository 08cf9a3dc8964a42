"""The ways to compute one layer in one direction, over sequences of one length or under a mask.

Shapes: T time, B batch, E input size, H hidden size.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqrnn.backends.torch import cell_functions as functions
from seqrnn.backends.torch.embedding import lookup_of
from seqrnn.backends.torch.linear_scan import linear_scan
from seqrnn.backends.torch.stepwise import STEP_FUNCTIONS, Steps
from seqrnn.cells.cell import Cell, Shape, State


class LayerParameters(nn.Module):
    """The parameters of a cell that no class of `torch.nn` has."""

    def __init__(self, shapes: Mapping[str, Shape], hidden_size: int) -> None:
        """Draw each number evenly from +-1 / sqrt(H), as those of PyTorch's own recurrent layers are."""
        super().__init__()
        for name, shape in shapes.items():
            parameter = nn.Parameter(torch.empty(shape))
            nn.init.uniform_(parameter, -(hidden_size**-0.5), hidden_size**-0.5)
            self.register_parameter(name, parameter)


def build_layer(cell: type[Cell], input_size: int, hidden_size: int) -> nn.Module:
    """Make the parameters of one layer in one direction."""
    if cell.torch_kernel is None:
        return LayerParameters(cell.parameters(input_size, hidden_size), hidden_size)
    kernel: nn.Module = getattr(nn, cell.torch_kernel)(input_size, hidden_size, **cell.torch_options)
    return kernel


def parameters_of(layer: nn.Module) -> dict[str, Tensor]:
    """Return the parameters of a layer by the names that its cell gives them."""
    return dict(layer.named_parameters(recurse=False))


class LayerRunner(ABC):
    """Computes all steps of a layer."""

    def __init__(self, cell: type[Cell]) -> None:
        self.cell = cell

    @abstractmethod
    def __call__(
        self, layer: nn.Module, x: Tensor, state: State, active: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Read `x` (T, B, E), of one step or more, from a state: the outputs (T, B, H) and the last state.

        Where `active` (T, B) is false, a state stays as it is; the output there may be anything.
        """


class PackedSteps:
    """Computes all steps of a gated cell over packed rows, N of all steps together."""

    def __init__(self, cell: type[Cell], function: type[torch.autograd.Function]) -> None:
        self.cell = cell
        self._function = function

    def __call__(self, layer: nn.Module, x: Tensor, state: State, steps: Steps) -> tuple[Tensor, State]:
        """Read `x` (N, E) from a state: the outputs (N, H) and the last state.

        What few different vectors bring is computed once for each, and so are its gradients.
        """
        p = self.cell.folded(parameters_of(layer))
        lookup = lookup_of(x)
        if lookup is not None and 2 * len(lookup.table) <= len(x):
            projected = F.embedding(lookup.tokens, self.cell.project(functions, p, lookup.table))
        else:
            projected = self.cell.project(functions, p, x)
        compute: Any = self._function.apply
        found = compute(projected, p["weight_hh_l0"], p["bias_hh_l0"], steps, *state)
        y, *last = found
        return y, tuple(last)


class FusedKernel(LayerRunner):
    """Calls a class of `torch.nn`, which knows no mask."""

    def __call__(
        self, layer: nn.Module, x: Tensor, state: State, active: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Give the states the axis of layers that the kernel wants, and take it away."""
        assert active is None
        layered = tuple(array.unsqueeze(0).to(x.dtype) for array in state)
        y, new = layer(x, layered if len(layered) > 1 else layered[0])
        arrays = new if isinstance(new, tuple) else (new,)
        return y, tuple(array.squeeze(0) for array in arrays)


class Scan(LayerRunner):
    """Computes all steps of a cell with a linear scan at once."""

    def __call__(
        self, layer: nn.Module, x: Tensor, state: State, active: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Compute every `h_t = a_t * h_{t-1} + b_t`, where nothing is active with a_t = 1 and b_t = 0."""
        projected = self.cell.project(functions, parameters_of(layer), x)  # (T, B, 2 * H)
        if active is not None:
            kept = torch.ones_like(projected)
            kept[..., kept.shape[2] // 2 :] = 0.0
            projected = torch.where(active.unsqueeze(2), projected, kept)
        states = linear_scan(projected, state[0].to(projected.dtype))
        return states, (states[-1],)


class Loop(LayerRunner):
    """Goes step by step with the cell's formula, which any cell has."""

    def __call__(
        self, layer: nn.Module, x: Tensor, state: State, active: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Project all inputs in one product, then go through the steps."""
        p = parameters_of(layer)
        outputs = []
        for t, projected in enumerate(self.cell.project(functions, p, x)):
            new = self.cell.step(functions, p, projected, state)
            state = new if active is None else _where(active[t], new, state)
            outputs.append(new[0])
        return torch.stack(outputs), state


def choose_runner(cell: type[Cell]) -> LayerRunner:
    """Return the fastest way to compute a cell."""
    if cell.torch_kernel is not None:
        return FusedKernel(cell)
    return Scan(cell) if cell.scan == "linear" else Loop(cell)


def choose_packed_runner(cell: type[Cell]) -> PackedSteps | None:
    """Return what computes a cell over packed rows, if anything does."""
    function = STEP_FUNCTIONS.get((cell.torch_kernel, cell.torch_options.get("nonlinearity")))
    return None if function is None else PackedSteps(cell, function)


def _where(rows: Tensor, new: State, old: State) -> State:
    """Take the new state of some rows (B,) and the old one of the others, each array (B, ...)."""
    return tuple(
        torch.where(rows.view(-1, *(1,) * (n.ndim - 1)), n, o.to(n.dtype))
        for n, o in zip(new, old, strict=True)
    )
