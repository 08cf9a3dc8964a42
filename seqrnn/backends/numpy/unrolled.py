"""A cell's formula as the calls of NumPy that it comes down to, for a few sequences at a time.

With one sequence, NumPy takes longer to make an array, or a slice of one, than to compute what is in it. So
the formula is called once with symbols in the place of arrays. Each notes what is done to it, and the notes
become a function that does the same to real arrays: every slice is cut and every intermediate array made
beforehand, and only what is returned is new.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from seqrnn.backends.numpy.weights import Array, aligned
from seqrnn.cells import in_numpy
from seqrnn.cells.cell import Cell, State

ZERO = np.array(0.0, dtype=np.float32)


def unroll(cell: type[Cell], from_state: Array) -> Callable[..., State]:
    """Work out the formula of a cell for N sequences.

    Returns the step: a function of `from_input` (N, G * H) and the arrays of a state that returns the
    new state. It reads what stands in `from_state` (N, G * H), which is to be filled before each step.
    """
    notes = _Notes()
    rows, width = from_state.shape
    from_input = notes.argument(from_state.shape)
    state = tuple(notes.argument((rows, width // cell.gates)) for _ in cell.state_names)
    found = cell.step(in_numpy, from_input, notes.known(from_state), state)
    return notes.function([from_input, *state], found)


class _Symbol(NDArrayOperatorsMixin):
    """Stands for an array. NumPy's functions, operators included, hand themselves to `__array_ufunc__`."""

    def __init__(self, notes: _Notes, name: str, shape: tuple[int, ...]) -> None:
        self.notes, self.name, self.shape = notes, name, shape

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None) -> _Symbol:
        assert method == "__call__"
        return self.notes.call(ufunc, inputs, None if out is None else out[0])

    def __getitem__(self, key: Any) -> _Symbol:
        return self.notes.cut(self, key)

    def clip(self, low: float, high: None, out: None = None) -> _Symbol:  # noqa: ARG002
        """Do what `np.clip` asks of what is no array, from below."""
        assert low == 0.0
        return self.notes.call(np.maximum, (self, ZERO), None)


class _Notes:
    """What a formula does to its symbols, and the arrays that are there beforehand, by name."""

    def __init__(self) -> None:
        self._arrays: dict[str, Any] = {}
        self._calls: list[tuple[str, str, str]] = []  # the name of a result, a function, its arguments
        self._cuts: list[str] = []  # lines that cut slices of what is not known beforehand
        self._numbers = itertools.count()

    def argument(self, shape: tuple[int, ...]) -> _Symbol:
        """Note an array that is known only when the function is called."""
        return _Symbol(self, f"a{next(self._numbers)}", shape)

    def known(self, array: Array) -> _Symbol:
        """Note an array that is always the same place in memory."""
        symbol = self.argument(array.shape)
        self._arrays[symbol.name] = array
        return symbol

    def call(self, ufunc: np.ufunc, inputs: tuple[Any, ...], target: _Symbol | None) -> _Symbol:
        """Note a call, the result of which is written into `target`, or into an array of its own."""
        operands = [
            x if isinstance(x, _Symbol) else self.known(np.asarray(x, dtype=np.float32)) for x in inputs
        ]
        if target is None:
            shape = np.broadcast_shapes(*(operand.shape for operand in operands))
            target = self.known(aligned(shape))
        self._arrays[ufunc.__name__] = ufunc
        self._calls.append((target.name, ufunc.__name__, ", ".join(operand.name for operand in operands)))
        return target

    def cut(self, symbol: _Symbol, key: tuple[Any, slice]) -> _Symbol:
        """Note a slice of the last axis: at once of an array that is known, at each call of an argument."""
        if symbol.name in self._arrays:
            return self.known(self._arrays[symbol.name][key])
        part = self.argument(np.empty(symbol.shape, dtype=np.float32)[key].shape)
        self._cuts.append(f"{part.name} = {symbol.name}[..., {key[1].start}:{key[1].stop}]")
        return part

    def function(self, arguments: list[_Symbol], results: tuple[_Symbol, ...]) -> Callable[..., State]:
        """Return a function that does what was noted; its results are arrays of their own."""
        new = {symbol.name for symbol in results}
        lines = list(self._cuts)
        for target, name, operands in self._calls:
            made = target in new
            new.discard(target)
            lines.append(f"{target} = {name}({operands})" if made else f"{name}({operands}, {target})")
        assert not new, "a cell returns what it was given"
        head = f"def step({', '.join(argument.name for argument in arguments)}):"
        end = f"return ({''.join(f'{symbol.name}, ' for symbol in results)})"
        scope = dict(self._arrays)
        exec("\n    ".join([head, *lines, end]), scope)
        step: Callable[..., State] = scope["step"]
        return step
