"""The gated recurrent unit of Cho et al. (2014), "Learning Phrase Representations ..."."""

from __future__ import annotations

from seqrnn.cells.cell import Array, FormulaFunctions, OnnxOperator, State, split
from seqrnn.cells.gated_cell import GatedCell


class GRU(GatedCell):
    """Two gates decide how much of the old state is read and how much of it is kept.

        r_t = sigmoid(W_h^r h_{t-1} + W_x^r x_t + b^r)                  reset
        z_t = sigmoid(W_h^z h_{t-1} + W_x^z x_t + b^z)                  keep
        n_t = tanh(r_t * (W_h^n h_{t-1} + b_h^n) + W_x^n x_t + b_x^n)   candidate
        h_t = z_t * h_{t-1} + (1 - z_t) * n_t

    The reset gate acts after the product with W_h, which lets one product serve all three gates.
    """

    gates = 3
    sums_inputs = False  # r_t is between them
    torch_kernel = "GRU"
    onnx_operator = OnnxOperator("GRU", (1, 0, 2), attributes={"linear_before_reset": 1})

    @staticmethod
    def combine(xp: FormulaFunctions, from_input: Array, from_state: Array, state: State) -> State:
        """Return `(h_t,)`."""
        (h,) = state
        r, z, _ = split(xp.sigmoid(from_input + from_state), 3)  # at once: less than one by one
        input_n, state_n = (split(part, 3)[2] for part in (from_input, from_state))
        candidate = xp.tanh(input_n + r * state_n)
        return (candidate + z * (h - candidate),)
