"""One recurrent layer in one direction.

Shapes: B batch, E input size, H hidden size, G gates, N sequences; U different inputs of a batch, M nodes of
its prefix tree, R of them roots.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from threading import Lock, get_ident

import numpy as np
from numpy import matmul

from seqrnn.backends.numpy.inputs import MOST_BROUGHT, Lookup
from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.prefixes import PrefixTree
from seqrnn.backends.numpy.unrolled import unroll
from seqrnn.backends.numpy.weights import Array, Take
from seqrnn.cells import in_numpy
from seqrnn.cells.cell import Cell, State
from seqrnn.cells.sizes import CACHED

Brought = Callable[[Array | slice], Array]
"""What the vectors of so many numbers bring to a step: `(N,) -> (N, G * H)`."""

FEW = 8  # sequences for which making arrays costs more than what is computed


class Layer:
    """The weights of a layer and the steps of its cell."""

    def __init__(self, take: Take, cell: type[Cell], input_size: int, hidden_size: int) -> None:
        """Take `W_x` (G * H, E), `W_h` (G * H, H) and a bias of each."""
        self.rows = rows = cell.gates * hidden_size
        self.cell = cell
        self._hidden_size = hidden_size
        self._w_x = take("weight_ih_l0", (rows, input_size))
        self.w_h = take("weight_hh_l0", (rows, hidden_size))
        self._b_x = take("bias_ih_l0", (rows,))
        self._b_h = take("bias_hh_l0", (rows,))
        self.late_bias = None if cell.sums_inputs else self._b_h[None]  # what each step must add to `W_h h`
        self._table_inputs: Array | None = None  # (V, G * H)
        self._lock = Lock()
        self._unrolled: dict[tuple[int, int], tuple[Array, Callable[..., State]]] = {}  # by N and thread

    def initial(self, batch_size: int) -> State:
        """Return the zero state, each array (B, H)."""
        zeros = np.zeros((batch_size, self._hidden_size), dtype=np.float32)
        return (zeros,) * len(self.cell.state_names)

    @cached_property
    def from_input(self) -> Linear:
        """`W_x x + b`, as far as biases can be added to the input: (..., E) -> (..., G * H)."""
        return Linear(self._w_x, self._b_x + self._b_h if self.cell.sums_inputs else self._b_x)

    def from_table(self, table: Array) -> Array:
        """Return `from_input` of a table (V, E) that is always the same one: computed once."""
        with self._lock:
            if self._table_inputs is None:
                self._table_inputs = self.from_input(table)
        return self._table_inputs

    @cached_property
    def _w_h_transposed(self) -> Array:
        """`W_h` as rows times it are fastest: (H, G * H)."""
        return np.ascontiguousarray(self.w_h.T)

    def step(self, from_input: Array, state: State) -> State:
        """Go one step from what `from_input` says of the input, (N, G * H)."""
        rows = len(from_input)
        if rows > FEW:
            from_state = state[0] @ self._w_h_transposed
            if self.late_bias is not None:
                from_state += self.late_bias
            return self.cell.step(in_numpy, from_input, from_state, state)
        key = rows, get_ident()  # a thread has places of its own
        if key not in self._unrolled:
            place = np.zeros((rows, self.rows), dtype=np.float32)
            self._unrolled[key] = place, unroll(self.cell, place)
        from_state, step = self._unrolled[key]
        matmul(state[0], self._w_h_transposed, from_state)
        if self.late_bias is not None:
            from_state += self.late_bias
        return step(from_input, *state)

    def bring(self, x: Lookup) -> Brought:
        """Return what the vectors of `x` bring to a step, computed now unless it is too much to keep."""
        if x.lasting:
            return partial(_rows, self.from_table(x.vectors))
        if len(x.vectors) * self.rows <= MOST_BROUGHT:
            return partial(_rows, self.from_input(x.vectors))
        return lambda numbers: self.from_input(_rows(x.vectors, numbers))

    def run(self, brought: Brought, tree: PrefixTree, roots: State) -> State:
        """Compute the states at the nodes of a tree, each array (M, H), from those at its `roots` (R, H)."""
        states = tuple(np.empty((tree.size, self._hidden_size), dtype=np.float32) for _ in roots)
        for array, root in zip(states, roots, strict=True):
            array[: len(root)] = root
        most = max(FEW, CACHED // self.rows)
        for block in tree.blocks(most):
            before = tuple(_rows(array, block.parents) for array in states)
            new = self.step(brought(block.reads), before)
            for array, part in zip(states, new, strict=True):
                array[block.start : block.stop] = part
        return states


def _rows(array: Array, rows: Array | slice) -> Array:
    """Take rows of an array, without a copy where they stand side by side."""
    return array[rows] if isinstance(rows, slice) else array.take(rows, axis=0)
