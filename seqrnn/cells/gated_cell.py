"""Cells of two affine maps, one of the input and one of the output before, such as an LSTM.

Shapes: B batch, E input size, H hidden size, G gates.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from seqrnn.cells.cell import Array, Cell, FormulaFunctions, Parameters, Shape, State


class GatedCell(Cell):
    """A recurrence of two affine maps, `h_t = f(W_x x_t + b_x, W_h h_{t-1} + b_h)`.

    The maps are the same for every such cell; a cell says only how they and the old state make the new
    state. Parameters have the names that `torch.nn` gives to those of its kernels.
    """

    gates: ClassVar[int]
    """How many blocks of H rows W_x and W_h hold, in the order in which `combine` splits them."""

    sums_inputs: ClassVar[bool] = True
    """Whether `combine` reads nothing but the sum of both maps, so that their biases are one."""

    @staticmethod
    @abstractmethod
    def combine(xp: FormulaFunctions, from_input: Array, from_state: Array, state: State) -> State:
        """Make the new state of `W_x x_t + b_x` and `W_h h_{t-1} + b_h`, (B, G * H), and the old state."""

    @classmethod
    def parameters(cls, input_size: int, hidden_size: int) -> dict[str, Shape]:
        """Return `W_x`, `W_h` and a bias of each."""
        rows = cls.gates * hidden_size
        return {
            "weight_ih_l0": (rows, input_size),
            "weight_hh_l0": (rows, hidden_size),
            "bias_ih_l0": (rows,),
            "bias_hh_l0": (rows,),
        }

    @classmethod
    def projection_size(cls, hidden_size: int) -> int:
        """Return G * H."""
        return cls.gates * hidden_size

    @classmethod
    def project(cls, xp: FormulaFunctions, p: Parameters, x: Array) -> Array:
        """Compute `W_x x + b_x`."""
        return xp.linear(x, p["weight_ih_l0"], p["bias_ih_l0"])

    @classmethod
    def step(cls, xp: FormulaFunctions, p: Parameters, projected: Array, state: State) -> State:
        """Add `W_h h_{t-1} + b_h` and combine them."""
        from_state = xp.linear(state[0], p["weight_hh_l0"], p["bias_hh_l0"])
        return cls.combine(xp, projected, from_state, state)

    @classmethod
    def folded(cls, p: Parameters) -> Parameters:
        """Add both biases to the input where nothing comes between the two sums."""
        if not cls.sums_inputs:
            return p
        return {**p, "bias_ih_l0": p["bias_ih_l0"] + p["bias_hh_l0"], "bias_hh_l0": None}
