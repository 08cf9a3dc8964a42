"""What a recurrent cell is: its parameters, its state, and its formula over any kind of arrays.

Shapes: B batch, T time, E input size, H hidden size, P numbers of a projection.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Protocol

from msgspec import Struct, field

Array = Any  # a numpy.ndarray, a torch.Tensor or a value of an ONNX graph
State = tuple[Array, ...]  # of one layer, each (B, ...); the output h, (B, H), comes first
Shape = tuple[int, ...]
Parameters = Mapping[str, Array]


class FormulaFunctions(Protocol):
    """What a formula may use beside `+ - * / @` and slices of the last axis: the `xp` of a cell's methods.

    There is one for each kind of arrays: `cell_functions.py` of `backends/numpy`, `backends/torch` and
    `backends/onnx`.
    """

    def tanh(self, x: Array, /) -> Array:
        """The hyperbolic tangent."""

    def sigmoid(self, x: Array, /) -> Array:
        """The logistic function, 1 / (1 + exp(-x))."""

    def relu(self, x: Array, /) -> Array:
        """The larger of x and 0."""

    def softplus(self, x: Array, /) -> Array:
        """The logarithm of 1 + exp(x)."""

    def linear(self, x: Array, weight: Array, bias: Array | None, /) -> Array:
        """`x W^T + b`, (..., N) -> (..., M), with a weight (M, N) and a bias (M,) or none."""

    def concat(self, parts: list[Array], /) -> Array:
        """Join arrays along their last axis."""

    def at_least_single(self, x: Array, /) -> Array:
        """Turn half precision into single; leave any other as it is."""


class OnnxOperator(Struct, frozen=True):
    """The operator of ONNX that computes a whole sequence of a cell."""

    name: str
    gates: tuple[int, ...]
    """Which of the cell's gates is at each position of the operator's."""
    activations: tuple[str, ...] = ()
    """Of one direction."""
    attributes: Mapping[str, Any] = field(default_factory=dict)


class Cell(ABC):
    """A recurrence `state_t = f(x_t, state_{t-1})`, whose output h_t is the first array of the state.

    A cell has no sizes of its own, so its methods are functions of the class. What can compute it follows
    from its attributes: with none of the optional ones set, `step` runs in a loop on every backend.
    """

    torch_kernel: ClassVar[str | None] = None
    """The class of `torch.nn` that computes a whole sequence in one call, from the same parameters."""

    torch_options: ClassVar[Mapping[str, str]] = {}
    """Arguments of that class beside the sizes."""

    onnx_operator: ClassVar[OnnxOperator | None] = None
    """The operator that computes a whole sequence; it takes the parameters of a `GatedCell`."""

    scan: ClassVar[Literal["linear"] | None] = None
    """The associative scan that computes all steps of a sequence.

    `linear`: the state is h alone, `h_t = a_t * h_{t-1} + b_t`, and the projection is (a_t, b_t).
    """

    @classmethod
    @abstractmethod
    def parameters(cls, input_size: int, hidden_size: int) -> dict[str, Shape]:
        """Return the shape of each parameter, by name; matrices are (outputs, inputs)."""

    @classmethod
    def state(cls, hidden_size: int) -> dict[str, Shape]:
        """Return the shape of each array of a state without the batch, by name: first the output h, (H,)."""
        return {"h": (hidden_size,)}

    @classmethod
    @abstractmethod
    def projection_size(cls, hidden_size: int) -> int:
        """Return how many numbers `project` makes of the input of a step: P."""

    @classmethod
    @abstractmethod
    def project(cls, xp: FormulaFunctions, p: Parameters, x: Array) -> Array:
        """Compute all that depends on the input alone: (..., E) -> (..., P), a sequence or more at once."""

    @classmethod
    @abstractmethod
    def step(cls, xp: FormulaFunctions, p: Parameters, projected: Array, state: State) -> State:
        """Go one step, from the projection (B, P) of its input: return the new state.

        Arrays that are given are not to be changed.
        """

    @classmethod
    def folded(cls, p: Parameters) -> Parameters:
        """Return parameters that compute the same with less, once they no longer change."""
        return p


def split(x: Array, parts: int) -> list[Array]:
    """Cut (..., N) into equal parts of the last axis, without copying."""
    size = x.shape[-1] // parts
    return [x[..., part * size : (part + 1) * size] for part in range(parts)]
