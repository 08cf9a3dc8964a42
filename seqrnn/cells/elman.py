"""The simple recurrent network of Elman (1990), "Finding Structure in Time"."""

from __future__ import annotations

from typing import ClassVar

from seqrnn.cells.cell import Array, FormulaFunctions, OnnxOperator, State
from seqrnn.cells.gated_cell import GatedCell


class Elman(GatedCell):
    """`h_t = tanh(W_h h_{t-1} + W_x x_t + b)`."""

    gates = 1
    torch_kernel = "RNN"
    torch_options: ClassVar = {"nonlinearity": "tanh"}
    onnx_operator = OnnxOperator("RNN", (0,), ("Tanh",))

    @staticmethod
    def combine(xp: FormulaFunctions, from_input: Array, from_state: Array, state: State) -> State:
        """Return `(h_t,)`."""
        return (xp.tanh(from_input + from_state),)


class ElmanReLU(GatedCell):
    """`h_t = max(0, W_h h_{t-1} + W_x x_t + b)`."""

    gates = 1
    torch_kernel = "RNN"
    torch_options: ClassVar = {"nonlinearity": "relu"}
    onnx_operator = OnnxOperator("RNN", (0,), ("Relu",))

    @staticmethod
    def combine(xp: FormulaFunctions, from_input: Array, from_state: Array, state: State) -> State:
        """Return `(h_t,)`."""
        return (xp.relu(from_input + from_state),)
