"""What a recurrent cell is, in arrays of NumPy or PyTorch alike.

Shapes: B batch, H hidden size, G gates of the cell.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

Array = Any  # a numpy.ndarray or a torch.Tensor
State = tuple[Array, ...]  # of one layer, each (B, H); the output h comes first


class Cell(ABC):
    """A recurrence `h_t = f(W_x x_t + b_x, W_h h_{t-1} + b_h)`.

    The two affine maps are the same for every cell and are computed by the caller, the first for a
    whole sequence at once; a cell says only how they and the old state make the new state.
    """

    gates: ClassVar[int]
    """How many blocks of H rows W_x and W_h hold, in the order in which `step` splits them."""

    state_names: ClassVar[tuple[str, ...]]
    """Names of the arrays in a state, the output first."""

    sums_inputs: ClassVar[bool] = True
    """Whether `step` reads nothing but the sum of both maps, so that their biases are one."""

    fused: ClassVar[str]
    """The class of `torch.nn` that computes a whole sequence of this cell in one call."""

    fused_options: ClassVar[Mapping[str, str]] = {}
    """Arguments of that class beside the sizes."""

    @staticmethod
    @abstractmethod
    def step(xp: Any, from_input: Array, from_state: Array, state: State) -> State:
        """Go one step.

        `xp` is `torch`, or its match `cells.in_numpy`; `from_input = W_x x_t + b_x` and
        `from_state = W_h h_{t-1} + b_h` are (B, G * H). Returns the new state, each (B, H).
        """


def split_gates(preactivation: Array, gates: int) -> list[Array]:
    """Cut (B, G * H) into G arrays (B, H), without copying."""
    size = preactivation.shape[-1] // gates
    return [preactivation[..., gate * size : (gate + 1) * size] for gate in range(gates)]
