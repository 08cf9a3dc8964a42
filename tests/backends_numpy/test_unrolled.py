"""A formula worked out beforehand computes what the formula computes."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

from seqrnn.backends.numpy.layer import Layer
from seqrnn.backends.numpy.unrolled import unroll
from seqrnn.catalog import CELLS, load
from seqrnn.cells import in_numpy

HIDDEN = 5


def inputs(cell, rows: int, seed: int):
    generator = np.random.default_rng(seed)
    wide = [generator.standard_normal((rows, cell.gates * HIDDEN), dtype=np.float32) for _ in range(2)]
    state = [generator.standard_normal((rows, HIDDEN), dtype=np.float32) for _ in cell.state_names]
    return wide[0], wide[1], tuple(state)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", CELLS)
def test_it_computes_what_the_formula_computes_step_after_step(name, rows):
    cell = load(CELLS[name])
    from_state = np.zeros((rows, cell.gates * HIDDEN), dtype=np.float32)
    step = unroll(cell, from_state)
    found, kept = [], []
    for seed in range(3):
        from_input, products, state = inputs(cell, rows, seed)
        from_state[:] = products
        found.append(step(from_input, *state))
        kept.append(cell.step(in_numpy, from_input, products, state))
    for ours, theirs in zip(found, kept, strict=True):  # after the last step: nothing was overwritten
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", CELLS)
def test_nothing_that_is_given_is_written_to(name):
    cell = load(CELLS[name])
    from_input, products, state = inputs(cell, 1, 4)
    step = unroll(cell, products)
    before = [array.copy() for array in (from_input, products, *state)]
    step(from_input, *state)
    for array, copy in zip((from_input, products, *state), before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("name", CELLS)
def test_threads_do_not_get_into_each_other_s_way(name):
    cell = load(CELLS[name])
    generator = np.random.default_rng(1)
    layer = Layer(lambda _, shape: generator.random(shape, dtype=np.float32) / 9, cell, 3, HIDDEN)
    givens = [inputs(cell, 1, seed) for seed in range(4)]

    def walk(seed: int) -> list[bytes]:
        from_input, _, state = givens[seed]
        trace = []
        for _ in range(300):
            state = layer.step(from_input, state)
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
