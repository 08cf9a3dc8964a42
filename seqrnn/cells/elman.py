"""The simple recurrent network of Elman (1990), "Finding Structure in Time"."""

from __future__ import annotations

from typing import Any, ClassVar

from seqrnn.cells.cell import Array, Cell, State


class Elman(Cell):
    """`h_t = tanh(W_h h_{t-1} + W_x x_t + b)`."""

    gates = 1
    state_names = ("h",)
    fused = "RNN"
    fused_options: ClassVar = {"nonlinearity": "tanh"}

    @staticmethod
    def step(xp: Any, from_input: Array, from_state: Array, state: State) -> State:
        """Return `(h_t,)`."""
        return (xp.tanh(from_input + from_state),)


class ElmanReLU(Cell):
    """`h_t = max(0, W_h h_{t-1} + W_x x_t + b)`."""

    gates = 1
    state_names = ("h",)
    fused = "RNN"
    fused_options: ClassVar = {"nonlinearity": "relu"}

    @staticmethod
    def step(xp: Any, from_input: Array, from_state: Array, state: State) -> State:
        """Return `(h_t,)`."""
        return (xp.clip(from_input + from_state, 0.0, None),)
