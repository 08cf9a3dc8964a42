"""One recurrent layer in one direction.

Shapes: B batch, T time, E input size, H hidden size, G gates, U different inputs of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from threading import get_ident

import numpy as np
from numpy import matmul

from seqrnn.cells import in_numpy
from seqrnn.cells.cell import Cell, State
from seqrnn.runtime.inputs import Lookup
from seqrnn.runtime.unrolled import unroll
from seqrnn.runtime.weights import Array, Take

FEW = 8  # sequences for which making arrays costs more than what is computed


class Layer:
    """The weights of a layer and the steps of its cell."""

    def __init__(self, take: Take, cell: type[Cell], input_size: int, hidden_size: int) -> None:
        """Take `W_x` (G * H, E), `W_h` (G * H, H) and a bias of each."""
        self.rows = rows = cell.gates * hidden_size
        self._cell = cell
        self._hidden_size = hidden_size
        self._w_x = take("weight_ih_l0", (rows, input_size))
        self._w_h = take("weight_hh_l0", (rows, hidden_size))
        self._b_x = take("bias_ih_l0", (rows,))
        self._b_h = take("bias_hh_l0", (rows,))
        self._unrolled: dict[tuple[int, int], tuple[Array, Callable[..., State]]] = {}  # by N and thread

    @cached_property
    def _bias(self) -> Array:
        """The biases, as far as they can be added to the input: (G * H,)."""
        return self._b_x + self._b_h if self._cell.sums_inputs else self._b_x

    def initial(self, batch_size: int) -> State:
        """Return the zero state, each array (B, H)."""
        zeros = np.zeros((batch_size, self._hidden_size), dtype=np.float32)
        return (zeros,) * len(self._cell.state_names)

    def from_input(self, x: Array) -> Array:
        """Return `W_x x + b` for all of `x` (..., E) at once -> (..., G * H)."""
        flat: Array = x.reshape(-1, x.shape[-1]) @ self._w_x_transposed
        flat += self._bias
        return flat.reshape(*x.shape[:-1], self.rows)

    @cached_property
    def _w_x_transposed(self) -> Array:
        """`W_x` as rows times it are fastest: (E, G * H)."""
        return np.ascontiguousarray(self._w_x.T)

    @cached_property
    def _w_h_transposed(self) -> Array:
        """`W_h` in the same way: (H, G * H)."""
        return np.ascontiguousarray(self._w_h.T)

    def step(self, from_input: Array, state: State) -> State:
        """Go one step from what `from_input` says of the input, (N, G * H)."""
        rows = len(from_input)
        if rows > FEW:
            from_state = state[0] @ self._w_h_transposed
            if not self._cell.sums_inputs:
                from_state += self._b_h
            return self._cell.step(in_numpy, from_input, from_state, state)
        key = rows, get_ident()  # a thread has places of its own
        if key not in self._unrolled:
            self._unrolled[key] = unroll(self._cell, rows, self._hidden_size)
        from_state, step = self._unrolled[key]
        matmul(state[0], self._w_h_transposed, from_state)
        if not self._cell.sums_inputs:
            from_state += self._b_h
        return step(from_input, *state)

    def run(self, x: Lookup, state: State, steps: Iterable[tuple[int, int]]) -> tuple[Array, State]:
        """Read `x` (T, B, E) by `steps`, each with how many of the first rows run.

        Returns the hidden states (T, B, H), zero where a row does not run, and the last state of each.
        """
        inputs = self.from_input(x.vectors)  # (U, G * H)
        outputs = np.zeros((*x.places.shape, self._hidden_size), dtype=np.float32)
        last = tuple(array.copy() for array in state)
        state = self.initial(0)  # of the rows that run
        for step, rows in steps:
            if rows != len(state[0]):
                store(state, last)
                state = tuple(array[:rows] for array in last)
            state = self.step(inputs.take(x.places[step, :rows], axis=0), state)
            outputs[step, :rows] = state[0]
        store(state, last)
        return outputs, last


def store(state: State, last: State) -> None:
    """Write the state of the first rows to where that of all is kept."""
    for array, part in zip(last, state, strict=True):
        array[: len(part)] = part
