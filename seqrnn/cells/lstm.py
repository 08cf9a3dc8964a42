"""Long short-term memory: Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000)."""

from __future__ import annotations

from seqrnn.cells.cell import Array, FormulaFunctions, OnnxOperator, Shape, State, split
from seqrnn.cells.gated_cell import GatedCell


class LSTM(GatedCell):
    """A memory c_t beside the output h_t, written, kept and read through three gates.

        i_t = sigmoid(W_h^i h_{t-1} + W_x^i x_t + b^i)     input
        f_t = sigmoid(W_h^f h_{t-1} + W_x^f x_t + b^f)     forget
        g_t = tanh(W_h^g h_{t-1} + W_x^g x_t + b^g)        candidate
        o_t = sigmoid(W_h^o h_{t-1} + W_x^o x_t + b^o)     output
        c_t = f_t * c_{t-1} + i_t * g_t
        h_t = o_t * tanh(c_t)

    The memory goes on by a sum, not through a squashing function, so gradients reach far back.
    """

    gates = 4
    torch_kernel = "LSTM"
    onnx_operator = OnnxOperator("LSTM", (0, 3, 1, 2))

    @classmethod
    def state(cls, hidden_size: int) -> dict[str, Shape]:
        """Return the output and the memory."""
        return {"h": (hidden_size,), "c": (hidden_size,)}

    @staticmethod
    def combine(xp: FormulaFunctions, from_input: Array, from_state: Array, state: State) -> State:
        """Return `(h_t, c_t)`."""
        _, c = state
        gates = from_input + from_state
        i, f, _, o = split(xp.sigmoid(gates), 4)  # one call for all takes less than one for each
        size = gates.shape[-1] // 4
        g = xp.tanh(gates[..., 2 * size : 3 * size])
        c = f * c + i * g
        return o * xp.tanh(c), c
