"""One recurrent layer in one direction.

Shapes: B batch, E input size, H hidden size, P numbers of a projection, N sequences; U different inputs of a
batch, M nodes of its prefix tree, R of them roots.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from threading import Lock, get_ident

import numpy as np

from seqrnn.backends.numpy import cell_functions
from seqrnn.backends.numpy.inputs import MOST_BROUGHT, IndexedSequence
from seqrnn.backends.numpy.prefixes import PrefixTree
from seqrnn.backends.numpy.unrolled import Step, unroll
from seqrnn.backends.numpy.weights import Array, Take, aligned
from seqrnn.cells.cell import Cell, Parameters, State
from seqrnn.cells.sizes import CACHED

Brought = Callable[[Array | slice], Array]
"""What the vectors of so many numbers bring to a step: `(N,) -> (N, P)`."""

UNROLL_MAX_ROWS = 8  # sequences for which making arrays costs more than what is computed


class Layer:
    """The parameters of a layer and the steps of its cell."""

    def __init__(self, take: Take, cell: type[Cell], input_size: int, hidden_size: int) -> None:
        """Take the parameters that the cell has for these sizes."""
        self.cell = cell
        self.projection_size = cell.projection_size(hidden_size)
        self.state_shapes = tuple(cell.state(hidden_size).values())
        self._given = {
            name: take(name, shape) for name, shape in cell.parameters(input_size, hidden_size).items()
        }
        self._prepared: Parameters | None = None
        self._table_projected: Array | None = None  # (V, P)
        self._lock = Lock()
        self._unrolled: dict[tuple[int, int], Step] = {}  # by N and thread

    def initial(self, batch_size: int) -> State:
        """Return the zero state, each array (B, ...) as the cell has them."""
        return tuple(np.zeros((batch_size, *shape), dtype=np.float32) for shape in self.state_shapes)

    @property
    def parameters(self) -> Parameters:
        """The parameters as they are fastest: matrices column by column, vectors (N,) as (1, N).

        NumPy adds a row of (1, N) in half the time of (N,). Once they are prepared, those given are let go.
        """
        if self._prepared is None:
            with self._lock:
                if self._prepared is None:
                    self._prepared = {
                        name: None if array is None else _arranged(array)
                        for name, array in self.cell.folded(self._given).items()
                    }
                    self._given = {}
        return self._prepared

    def project(self, x: Array) -> Array:
        """Return what the cell makes of inputs alone: (..., E) -> (..., P)."""
        found: Array = self.cell.project(cell_functions, self.parameters, x)
        return found

    def project_table(self, table: Array) -> Array:
        """Return `project` of a table (V, E) that is always the same one: computed once."""
        p = self.parameters
        with self._lock:
            if self._table_projected is None:
                self._table_projected = self.cell.project(cell_functions, p, table)
        return self._table_projected

    def step(self, projected: Array, state: State) -> State:
        """Go one step from the projections (N, P) of inputs."""
        rows = len(projected)
        if rows > UNROLL_MAX_ROWS:
            return self.cell.step(cell_functions, self.parameters, projected, state)
        key = rows, get_ident()  # a thread has arrays of its own
        if key not in self._unrolled:
            self._unrolled[key] = unroll(self, rows)
        return self._unrolled[key](projected, *state)

    def bring(self, x: IndexedSequence) -> Brought:
        """Return what the vectors of `x` bring to a step, computed now unless it is too much to keep."""
        if x.is_whole_table:
            return partial(_rows, self.project_table(x.vectors))
        if len(x.vectors) * self.projection_size <= MOST_BROUGHT:
            return partial(_rows, self.project(x.vectors))
        return lambda numbers: self.project(_rows(x.vectors, numbers))

    def run(self, brought: Brought, tree: PrefixTree, roots: State) -> State:
        """Compute the states at the nodes of a tree, each array (M, ...), from those at its R `roots`."""
        states = tuple(np.empty((tree.size, *root.shape[1:]), dtype=np.float32) for root in roots)
        for array, root in zip(states, roots, strict=True):
            array[: len(root)] = root
        numbers = max(self.projection_size, *map(math.prod, self.state_shapes))
        for block in tree.blocks(max(UNROLL_MAX_ROWS, CACHED // numbers)):
            before = tuple(_rows(array, block.parents) for array in states)
            new = self.step(brought(block.reads), before)
            for array, part in zip(states, new, strict=True):
                array[block.start : block.stop] = part
        return states


def _arranged(array: Array) -> Array:
    """Return a parameter as products and sums are fastest with it."""
    if array.ndim != 2:
        return array[None]
    transposed = aligned(array.shape[::-1])
    transposed[:] = array.T
    return transposed.T


def _rows(array: Array, rows: Array | slice) -> Array:
    """Take rows of an array, without a copy where they are neighbours."""
    return array[rows] if isinstance(rows, slice) else array.take(rows, axis=0)
