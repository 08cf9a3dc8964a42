"""Whatever computes a cell, on a CPU or as on a GPU, computes what its formula gives step by step."""

from __future__ import annotations

import itertools

import pytest
import torch

from seqrnn.backends.torch.layer_runners import FusedKernel, Loop, Scan, choose_runner
from seqrnn.backends.torch.masked import Masked
from seqrnn.backends.torch.padded import full_lengths
from seqrnn.backends.torch.rnn import RNN
from seqrnn.catalog import CELLS, load
from seqrnn.cells.sizes import RNNSizes

E, H = 3, 4
ALL_LENGTHS = [(3, 5, 1, 5, 2), (0, 4, 0, 1, 6), (4, 4, 4), (0, 0)]
KINDS = [*itertools.product(CELLS, (1, 2), (1, 2))]


def build(kind):
    cell, directions, layers = kind
    torch.manual_seed(3)
    return RNN(cell, RNNSizes(E, H, layers, directions == 2)).double()


def everything(run, rnn, lengths):
    """Outputs and last states of random sequences and states, and the gradients of a random sum of both."""
    generator = torch.Generator().manual_seed(4)

    def draw(*shape):
        return torch.randn(shape, dtype=torch.float64, generator=generator)

    x = draw(len(lengths), max(lengths) + 2, E).requires_grad_()
    states = [
        tuple(draw(*array.shape).requires_grad_() for array in state) for state in rnn.initial(len(lengths))
    ]
    outputs, last = run(x, torch.tensor(lengths), states)
    found = [outputs, *itertools.chain(*last)]
    leaves = [x, *itertools.chain(*states), *rnn.parameters()]
    total = sum((array * draw(*array.shape)).sum() for array in found)
    gradients = torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True)
    return [*found, *gradients]


def by_loop(rnn):
    rnn.runner, rnn.packed_runner = Loop(rnn.cell), None
    return rnn


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


@pytest.mark.parametrize("lengths", ALL_LENGTHS, ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_recurrence_of_a_cell_is_its_formula(kind, lengths):
    rnn, loop = build(kind), by_loop(build(kind))
    assert_same(everything(rnn, rnn, lengths), everything(loop, loop, lengths))


@pytest.mark.parametrize("runner", [Loop, None], ids=["loop", "its own"])
@pytest.mark.parametrize("lengths", ALL_LENGTHS, ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_mask_gives_what_pieces_give(kind, lengths, runner):
    rnn, loop = build(kind), by_loop(build(kind))
    if runner is not None:
        rnn.runner = runner(rnn.cell)
    elif rnn.cell.torch_kernel is not None:
        pytest.skip("a GPU computes this cell in calls of cuDNN")

    def masked(x, lengths, states):
        return rnn._run_layers(Masked.plan(lengths, x.shape[1], x.device), rnn.runner, x, states)

    assert_same(everything(masked, rnn, lengths), everything(loop, loop, lengths))


def test_full_sequences_need_no_mask():
    rnn = build(("mingru", 2, 2))
    x = torch.randn(3, 6, E, dtype=torch.float64)
    assert Masked.plan(full_lengths(3, 6, x.device), 6, x.device).active is None
    found = rnn._run_on_gpu(x, full_lengths(3, 6, x.device), rnn.initial(3))
    torch.testing.assert_close(found, rnn(x, torch.tensor([6, 6, 6])))


def test_a_cell_is_computed_in_the_fastest_way_it_has():
    chosen = {name: type(choose_runner(load(path))) for name, path in CELLS.items()}
    fused = dict.fromkeys(("elman", "elman-relu", "gru", "lstm"), FusedKernel)
    assert chosen == {**fused, "mingru": Scan, "minlstm": Scan}


@pytest.mark.parametrize("cell", ["mingru", "minlstm"])
def test_gates_far_from_zero_have_finite_gradients(cell):
    torch.manual_seed(3)
    rnn = RNN(cell, RNNSizes(E, H))
    x = (1e4 * torch.randn(2, 300, E)).requires_grad_()
    outputs, _ = rnn(x, torch.tensor([300, 300]))
    outputs.sum().backward()
    assert outputs.isfinite().all()
    assert all(leaf.grad.isfinite().all() for leaf in (x, *rnn.parameters()))
