"""A formula worked out beforehand computes what the formula computes."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

from seqrnn.backends.numpy import cell_functions
from seqrnn.backends.numpy.layer import Layer
from seqrnn.backends.numpy.unrolled import UntraceableError, trace, unroll
from seqrnn.catalog import CELLS, load

INPUT, HIDDEN = 3, 5


def build(name):
    generator = np.random.default_rng(1)
    return Layer(
        lambda _, shape: generator.random(shape, dtype=np.float32) / 9, load(CELLS[name]), INPUT, HIDDEN
    )


def inputs(layer, rows: int, seed: int):
    generator = np.random.default_rng(seed)
    projected = layer.project(generator.standard_normal((rows, INPUT), dtype=np.float32))
    state = [generator.standard_normal((rows, *shape), dtype=np.float32) for shape in layer.state_shapes]
    return projected, tuple(state)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", CELLS)
def test_it_computes_what_the_formula_computes_step_after_step(name, rows):
    layer = build(name)
    step = trace(layer, rows).function()
    found, kept = [], []
    for seed in range(3):
        projected, state = inputs(layer, rows, seed)
        found.append(step(projected, *state))
        kept.append(layer.cell.step(cell_functions, layer.parameters, projected, state))
    for ours, theirs in zip(found, kept, strict=True):  # after the last step: nothing was overwritten
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", CELLS)
def test_nothing_that_is_given_is_written_to(name):
    layer = build(name)
    projected, state = inputs(layer, 1, 4)
    step = unroll(layer, 1)
    given = [projected, *state, *(array for array in layer.parameters.values() if array is not None)]
    before = [array.copy() for array in given]
    step(projected, *state)
    for array, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("name", CELLS)
def test_a_product_that_was_computed_elsewhere_is_not_computed_or_written_to(name):
    layer = build(name)
    step = trace(layer, 1)
    projected, state = inputs(layer, 1, 5)
    products = {name: state[0] @ matrix for name, matrix in step.products_of_output.items()}
    assert len(products) == (0 if layer.cell.scan else 1)
    copies = {name: array.copy() for name, array in products.items()}
    expected = layer.step(projected, state)
    advance = step.function(products)
    for _ in range(2):
        for one, other in zip(advance(projected, *state), expected, strict=True):
            np.testing.assert_array_equal(one, other)
    for name, array in products.items():
        np.testing.assert_array_equal(array, copies[name])


class Unusual:
    """A formula that uses what is not traced."""

    @staticmethod
    def step(xp, p, projected, state):
        return (np.concatenate([projected, state[0]], axis=1)[:, :HIDDEN],)


def test_a_formula_that_cannot_be_traced_is_called_as_it_is(monkeypatch):
    layer = build("mingru")
    projected, state = inputs(layer, 1, 6)
    monkeypatch.setattr(layer, "cell", Unusual)
    with pytest.raises(UntraceableError):
        trace(layer, 1)
    (h,) = layer.step(projected, state)
    np.testing.assert_array_equal(h, projected[:, :HIDDEN])


@pytest.mark.parametrize("name", CELLS)
def test_threads_do_not_get_into_each_other_s_way(name):
    layer = build(name)
    givens = [inputs(layer, 1, seed) for seed in range(4)]

    def walk(seed: int) -> list[bytes]:
        projected, state = givens[seed]
        trace = []
        for _ in range(300):
            state = layer.step(projected, state)
            trace.append(state[0].tobytes())
        return trace

    alone = [walk(seed) for seed in range(4)]
    together: list[list[bytes]] = [[] for _ in givens]

    def keep(seed: int) -> None:
        together[seed] = walk(seed)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=keep, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert together == alone
