"""Cells whose recurrence is elementwise and linear, such as a minGRU.

Shapes: B batch, E input size, H hidden size.
"""

from __future__ import annotations

from typing import ClassVar

from seqrnn.cells.cell import Array, Cell, FormulaFunctions, Parameters, Shape, State, split


class LinearCell(Cell):
    """A recurrence `h_t = a_t * h_{t-1} + b_t` whose a_t and b_t depend on the input alone.

    A cell says how `project` makes them, (a_t, b_t) side by side, from some affine maps of the input.
    """

    scan = "linear"

    maps: ClassVar[int]
    """How many affine maps of the input, to H features each, there are."""

    @classmethod
    def parameters(cls, input_size: int, hidden_size: int) -> dict[str, Shape]:
        """Return the maps as one, and its bias."""
        rows = cls.maps * hidden_size
        return {"weight": (rows, input_size), "bias": (rows,)}

    @classmethod
    def projection_size(cls, hidden_size: int) -> int:
        """Return 2 * H."""
        return 2 * hidden_size

    @classmethod
    def mapped(cls, xp: FormulaFunctions, p: Parameters, x: Array) -> Array:
        """Compute the maps, (..., E) -> (..., maps * H).

        At least in single precision: in half precision an a_t near 1 would be 1 or forget within some
        hundred steps.
        """
        return xp.at_least_single(xp.linear(x, p["weight"], p["bias"]))

    @classmethod
    def step(cls, xp: FormulaFunctions, p: Parameters, projected: Array, state: State) -> State:
        """Return `(h_t,)`."""
        keep, add = split(projected, 2)
        return (keep * state[0] + add,)
