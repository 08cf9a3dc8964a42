"""Sequences of different lengths in one batch: no way to compute them may change a result."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqrnn.backends.torch import segments
from seqrnn.backends.torch.device import computes_bfloat16
from seqrnn.backends.torch.embedding import TokenEmbedding, lookup_of
from seqrnn.backends.torch.padded import are_full, full_lengths
from seqrnn.backends.torch.rnn import RNN
from seqrnn.backends.torch.segments import Segment, Segments
from seqrnn.catalog import CELLS, load
from seqrnn.cells.sizes import RNNSizes

E, H = 3, 4
UNSORTED = (3, 5, 1, 5, 2)
WITH_EMPTY = (0, 4, 0, 1, 6)

KINDS = [
    pytest.param((cell, directions, layers), id=f"{cell}-{directions}directions-{layers}layers")
    for cell, directions, layers in itertools.product(CELLS, (1, 2), (1, 2))
]


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def build(kind, shrink=True):
    cell, directions, layers = kind
    torch.manual_seed(3)
    return RNN(cell, RNNSizes(E, H, layers, directions == 2), shrink).double()


def inputs(rnn, kind, lengths, spare=2):
    """Random x, padded with random numbers up to `spare` steps beyond the longest, and states."""
    torch.manual_seed(4)
    _, directions, layers = kind
    x = torch.randn(len(lengths), max(lengths) + spare, E, dtype=torch.float64)
    states = [
        tuple(torch.randn(len(lengths), *s, dtype=torch.float64) for s in rnn.cell.state(H).values())
        for _ in range(layers * directions)
    ]
    return x, states


def probe(shape, seed):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def everything(rnn, x, lengths, states):
    """Outputs and last states, and the gradients of a random sum over both."""
    x = x.clone().requires_grad_()
    states = [tuple(array.clone().requires_grad_() for array in state) for state in states]
    rnn.zero_grad()
    outputs, last = rnn(x, torch.tensor(lengths), states)
    flat = [array for state in last for array in state]
    total = (outputs * probe(outputs.shape, 1)).sum()
    total = total + sum((array * probe(array.shape, 2 + i)).sum() for i, array in enumerate(flat))
    total.backward()
    leaves = [x, *(array for state in states for array in state), *rnn.parameters()]
    gradients = [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]
    return [outputs, *flat, *gradients]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-11)


@pytest.mark.parametrize("lengths", [UNSORTED, WITH_EMPTY, (4, 4, 4), (5, 3, 3), (0, 0)])
def test_stopping_finished_sequences_changes_neither_results_nor_gradients(kind, lengths):
    dynamic, blank = build(kind, shrink=True), build(kind, shrink=False)
    x, states = inputs(dynamic, kind, lengths)
    assert_same(everything(dynamic, x, lengths, states), everything(blank, x, lengths, states))


@pytest.mark.parametrize("shrink", [True, False])
def test_results_and_gradients_are_those_of_packed_sequences(kind, shrink):
    rnn = build(kind, shrink)
    if rnn.cell.torch_kernel is None:
        pytest.skip("no class of torch.nn computes this cell")
    x, states = inputs(rnn, kind, UNSORTED, spare=0)
    oracle = Packed(rnn, kind)
    assert_same(everything(rnn, x, UNSORTED, states), everything(oracle, x, UNSORTED, states))


class Packed(nn.Module):
    """PyTorch's own stack of layers over packed sequences, with the weights of an `RNN`."""

    def __init__(self, rnn, kind):
        super().__init__()
        _, directions, layers = kind
        self.kernel = getattr(nn, rnn.cell.torch_kernel)(
            E, H, layers, batch_first=True, bidirectional=directions == 2, **rnn.cell.torch_options
        ).double()
        with torch.no_grad():
            for own, copied in zip(self.kernel.parameters(), rnn.parameters(), strict=True):
                own.copy_(copied)

    def forward(self, x, lengths, states):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        start = tuple(torch.stack(arrays) for arrays in zip(*states, strict=True))
        outputs, last = self.kernel(packed, start if len(start) > 1 else start[0])
        arrays = last if isinstance(last, tuple) else (last,)
        padded = pad_packed_sequence(outputs, batch_first=True)[0]
        return padded, list(zip(*arrays, strict=True))


@pytest.mark.parametrize("shrink", [True, False])
def test_a_sequence_has_the_same_result_alone(kind, shrink):
    rnn = build(kind, shrink)
    x, states = inputs(rnn, kind, WITH_EMPTY)
    outputs, last = rnn(x, torch.tensor(WITH_EMPTY), states)
    for row, length in enumerate(WITH_EMPTY):
        own = [tuple(array[row : row + 1] for array in state) for state in states]
        alone, alone_last = rnn(x[row : row + 1, :length], torch.tensor([length]), own)
        torch.testing.assert_close(outputs[row, :length], alone[0], rtol=0, atol=1e-12)
        for state, other in zip(last, alone_last, strict=True):
            for array, single in zip(state, other, strict=True):
                torch.testing.assert_close(array[row], single[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("shrink", [True, False])
def test_what_pads_a_batch_changes_nothing(kind, shrink):
    rnn = build(kind, shrink)
    x, states = inputs(rnn, kind, WITH_EMPTY)
    other = x.clone()
    for row, length in enumerate(WITH_EMPTY):
        other[row, length:] = 100.0
    assert_same(everything(rnn, x, WITH_EMPTY, states), everything(rnn, other, WITH_EMPTY, states))


def test_outputs_are_zero_where_a_sequence_has_ended(kind):
    rnn = build(kind)
    x, states = inputs(rnn, kind, WITH_EMPTY)
    outputs, last = rnn(x, torch.tensor(WITH_EMPTY), states)
    ended = torch.arange(x.shape[1]) >= torch.tensor(WITH_EMPTY).unsqueeze(1)
    assert (outputs[ended] == 0).all()
    assert (outputs[~ended] != 0).any()
    for state, start in zip(last, states, strict=True):
        for array, other in zip(state, start, strict=True):
            assert torch.equal(array[0], other[0])  # the first sequence is empty


def test_a_batch_of_nothing_keeps_its_states(kind):
    rnn = build(kind)
    _, states = inputs(rnn, kind, (1, 1))
    outputs, last = rnn(torch.zeros(2, 0, E, dtype=torch.float64), torch.tensor([0, 0]), states)
    assert outputs.shape == (2, 0, rnn.sizes.output_size)
    assert all(
        torch.equal(a, b) for s, t in zip(last, states, strict=True) for a, b in zip(s, t, strict=True)
    )


@pytest.mark.parametrize("shrink", [True, False])
def test_a_finished_sequence_costs_no_computation_if_it_may_stop(kind, shrink, monkeypatch):
    rnn = build(kind, shrink)
    x, states = inputs(rnn, kind, WITH_EMPTY)
    computed = []

    def counted(runner):
        return lambda layer, x, *more: computed.append(x[..., 0].numel()) or runner(layer, x, *more)

    for name in ("runner", "packed_runner"):
        if (runner := getattr(rnn, name)) is not None:
            monkeypatch.setattr(rnn, name, counted(runner))
    rnn(x, torch.tensor(WITH_EMPTY), states)
    _, directions, layers = kind
    steps = sum(WITH_EMPTY) if shrink else x.shape[0] * x.shape[1]
    assert sum(computed) == steps * directions * layers


def test_the_state_is_zero_where_none_is_given(kind):
    rnn = build(kind)
    x, states = inputs(rnn, kind, UNSORTED)
    zero = [tuple(torch.zeros_like(array) for array in state) for state in states]
    found, expected = rnn(x, torch.tensor(UNSORTED)), rnn(x, torch.tensor(UNSORTED), zero)
    torch.testing.assert_close(found[0], expected[0])
    assert [array.dtype for state in rnn.initial(2) for array in state] == [torch.float64] * len(
        [array for state in states for array in state]
    )


@pytest.mark.parametrize("cell", CELLS)
def test_step_by_step_is_the_whole_sequence(cell):
    rnn = build((cell, 1, 2))
    x, states = inputs(rnn, (cell, 1, 2), (6, 6), spare=0)
    outputs, last = rnn(x, torch.tensor([6, 6]), states)
    for t in range(6):
        hidden, states = rnn.step(x[:, t], states)
        torch.testing.assert_close(hidden, outputs[:, t], rtol=0, atol=1e-12)
    for state, other in zip(states, last, strict=True):
        for array, whole in zip(state, other, strict=True):
            torch.testing.assert_close(array, whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_half_precision_handles_lengths_alike(cell):
    kernel = load(CELLS[cell]).torch_kernel
    if kernel is not None and not computes_bfloat16(kernel):
        pytest.skip("this CPU has no such kernel of bfloat16")
    sizes = RNNSizes(E, H, 2, True)
    torch.manual_seed(3)
    rnn = RNN(cell, sizes)
    x = torch.randn(5, 8, E)
    full, last = rnn(x, torch.tensor(WITH_EMPTY))
    with torch.autocast("cpu", torch.bfloat16):
        half, half_last = rnn(x, torch.tensor(WITH_EMPTY))
    torch.testing.assert_close(half.float(), full, rtol=0, atol=0.03)
    torch.testing.assert_close(half_last[-1][0].float(), last[-1][0], rtol=0, atol=0.03)


def test_dropout_stands_between_the_layers_only():
    torch.manual_seed(3)
    x, lengths = torch.randn(2, 4, E), torch.tensor([4, 4])
    single, double = (RNN("gru", RNNSizes(E, H, layers, dropout=0.5)) for layers in (1, 2))
    assert torch.equal(single(x, lengths)[0], single(x, lengths)[0])
    assert not torch.equal(double(x, lengths)[0], double(x, lengths)[0])
    double.eval()
    assert torch.equal(double(x, lengths)[0], double(x, lengths)[0])


def test_a_plan_runs_from_length_to_length():
    plan = Segments.plan(torch.tensor([2, 5, 0, 2]), 6)
    assert plan.order.tolist() == [1, 0, 3, 2]
    assert plan.pieces == (Segment(0, 2, 3), Segment(2, 5, 1), Segment(5, 6, 0))
    assert plan.reversal[:, 0].tolist() == [4, 3, 2, 1, 0, 5]
    assert plan.reversal[:, 1].tolist() == [1, 0, 2, 3, 4, 5]


def test_a_long_stretch_is_cut_and_nothing_changes(monkeypatch):
    kind = ("lstm", 2, 2)
    rnn = in_pieces(build(kind))
    x, states = inputs(rnn, kind, UNSORTED)
    whole = everything(rnn, x, UNSORTED, states)
    monkeypatch.setattr(segments, "LONG", 2)
    plan = Segments.plan(torch.tensor([3, 7]), 8)
    assert [(piece.start, piece.stop) for piece in plan.pieces] == [
        (0, 2),
        (2, 3),
        (3, 4),
        (4, 6),
        (6, 7),
        (7, 8),
    ]
    assert_same(everything(rnn, x, UNSORTED, states), whole)


def in_pieces(rnn):
    """Let a network compute piece by piece what it would compute over packed rows."""
    rnn.packed_runner = None
    return rnn


@pytest.mark.parametrize("lengths", [UNSORTED, WITH_EMPTY, (4, 4, 4), (5, 3, 3), (1,), (0, 0)], ids=str)
def test_packed_rows_give_what_pieces_give(kind, lengths):
    rnn = build(kind)
    if rnn.packed_runner is None:
        pytest.skip("this cell has no packed steps")
    x, states = inputs(rnn, kind, lengths)
    expected = everything(in_pieces(build(kind)), x, lengths, states)
    assert_same(everything(rnn, x, lengths, states), expected)


@pytest.mark.parametrize("cell", ["lstm", "gru", "elman", "elman-relu"])
def test_the_gradients_of_packed_steps_are_those_of_differences(cell):
    rnn = build((cell, 2, 1))
    x, states = inputs(rnn, (cell, 2, 1), UNSORTED)
    arrays = [array.requires_grad_() for state in states for array in state]

    def run(x, *_):
        outputs, last = rnn(x, torch.tensor(UNSORTED), states)
        return outputs, *itertools.chain(*last)

    assert torch.autograd.gradcheck(run, (x.requires_grad_(), *arrays, *rnn.parameters()))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_single_precision_is_as_exact_packed(cell):
    torch.manual_seed(3)
    rnn = RNN(cell, RNNSizes(40, 60, 2, True))
    lengths = torch.randint(1, 15, (30,))
    x = torch.randn(30, 15, 40)
    packed, last = rnn(x, lengths)
    pieces, last_of_pieces = in_pieces(rnn)(x, lengths)
    torch.testing.assert_close(packed, pieces, rtol=0, atol=1e-5)
    torch.testing.assert_close(last, last_of_pieces, rtol=0, atol=1e-5)


@pytest.mark.parametrize("lengths", [UNSORTED, (4, 4, 4)], ids=str)
def test_dropout_of_the_outputs_drops_the_same_of_packed_rows(lengths):
    rnn = build(("gru", 2, 1))
    x, states = inputs(rnn, ("gru", 2, 1), lengths)

    def dropped():
        outputs, _ = rnn(x, torch.tensor(lengths), states)
        torch.manual_seed(5)  # numbers are drawn in the order of the memory
        return nn.functional.dropout(outputs, 0.5)

    packed = dropped()
    in_pieces(rnn)
    torch.testing.assert_close(packed, dropped(), rtol=0, atol=1e-12)


def test_dropout_between_layers_drops_the_same_of_packed_rows():
    torch.manual_seed(3)
    rnn = RNN("lstm", RNNSizes(E, H, 2, True, dropout=0.5)).double()
    x = torch.randn(len(UNSORTED), 5, E, dtype=torch.float64)
    torch.manual_seed(5)
    packed, _ = rnn(x, torch.tensor(UNSORTED))
    torch.manual_seed(5)
    pieces, _ = in_pieces(rnn)(x, torch.tensor(UNSORTED))
    torch.testing.assert_close(packed, pieces, rtol=0, atol=1e-12)


@pytest.mark.parametrize("lengths", [UNSORTED, (5, 5, 5)], ids=str)
@pytest.mark.parametrize("cell", ["lstm", "gru", "elman"])
def test_what_is_read_of_a_small_table_is_as_what_is_written_out(cell, lengths, monkeypatch):
    rnn = build((cell, 2, 2))
    table = TokenEmbedding(4, E, 0.0, 0.0).double()
    tokens = torch.randint(4, (len(lengths), 5), generator=torch.Generator().manual_seed(5))
    products = []
    monkeypatch.setattr(
        rnn.cell,
        "project",
        lambda xp, p, x, own=rnn.cell.project: products.append(len(x)) or own(xp, p, x),
    )

    def gradients(note):
        read = table(tokens)
        outputs, last = rnn(read if note else read.clone(), torch.tensor(lengths))
        total = (outputs * probe(outputs.shape, 1)).sum() + last[-1][0].square().sum()
        return [outputs, *torch.autograd.grad(total, [table.table.weight, *rnn.parameters()])]

    noted = gradients(True)
    assert products == [4, 4, sum(lengths), sum(lengths)]
    assert_same(noted, gradients(False))
    assert products[4:] == [sum(lengths)] * 4


def test_dropped_vectors_are_not_those_of_the_table():
    embedding = TokenEmbedding(4, E, 0.5, 0.0)
    tokens = torch.zeros(2, 3, dtype=torch.int64)
    assert lookup_of(embedding(tokens)) is None
    assert lookup_of(embedding.eval()(tokens)) is not None


def computed_by(rnn, lengths):
    """Which way a network computes a batch."""
    used = []
    for name in ("runner", "packed_runner"):
        runner = getattr(rnn, name)
        setattr(rnn, name, lambda *given, name=name, runner=runner: used.append(name) or runner(*given))
    rnn(torch.randn(len(lengths), max(lengths), E, dtype=torch.float64), torch.tensor(lengths))
    return set(used)


def test_an_lstm_calls_its_kernel_for_large_pieces():
    assert computed_by(build(("lstm", 2, 1)), [20] * 15) == {"runner"}
    assert computed_by(build(("lstm", 2, 1)), [20] * 14) == {"packed_runner"}
    assert computed_by(build(("lstm", 2, 1)), [20] * 15 + [19]) == {"packed_runner"}
    assert computed_by(build(("gru", 2, 1)), [20] * 15) == {"packed_runner"}
    assert computed_by(build(("gru", 2, 1), shrink=False), [20] * 15) == {"runner"}


def test_rows_in_order_are_not_moved():
    assert Segments.plan(torch.tensor([5, 3, 3, 0]), 5).order is None


def on_a_gpu(rnn):
    """Let a network compute on the CPU as it does on a GPU."""
    rnn._run_on_cpu = rnn._run_on_gpu
    return rnn


@pytest.mark.parametrize("lengths", [UNSORTED, WITH_EMPTY, (5, 5, 5), (2,), (0, 0)], ids=str)
def test_rows_that_are_all_run_to_the_end_give_the_same(kind, lengths):
    rnn = build(kind)
    x, states = inputs(rnn, kind, lengths)
    expected = everything(rnn, x, lengths, states)
    found = everything(on_a_gpu(build(kind)), x, lengths, states)
    assert_same(found, expected)


def test_full_sequences_are_one_call_with_the_same_results(kind):
    rnn = build(kind)
    x, states = inputs(rnn, kind, (6, 6, 6), spare=0)
    outputs, last = rnn(x, torch.tensor([6, 6, 6]), states)
    lengths = full_lengths(3, 6, x.device)
    assert are_full(lengths)
    assert not are_full(torch.tensor([6, 6, 6]))
    found, found_last = on_a_gpu(rnn)(x, lengths, states)
    torch.testing.assert_close(found, outputs)
    torch.testing.assert_close(found_last, last)


@pytest.mark.parametrize("lengths", [UNSORTED, WITH_EMPTY, (6, 6)])
@pytest.mark.parametrize("shrink", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_two_directions_at_a_time_compute_the_same(cell, layers, shrink, lengths):
    rnn = build((cell, 2, layers), shrink)
    embedding = TokenEmbedding(3, E, 0.0, 0.0).double()
    tokens = torch.randint(0, 3, (len(lengths), 7), generator=torch.Generator().manual_seed(1))
    states = [
        tuple(torch.rand_like(array, requires_grad=True) for array in state)
        for state in rnn.initial(len(lengths))
    ]
    parameters = [*embedding.parameters(), *rnn.parameters(), *itertools.chain(*states)]
    found = []
    for together, all_wanted in itertools.product((False, True), (False, True)):
        rnn.both_at_once = together
        y, last = rnn(embedding(tokens), torch.tensor(lengths), states)
        wanted = [y, *itertools.chain(*last)] if all_wanted else [last[0][0]]
        loss = sum(part.square().sum() for part in wanted)
        found.append([y, *itertools.chain(*last), *torch.autograd.grad(loss, parameters, allow_unused=True)])
    half = len(found) // 2
    for apart, at_a_time in zip(found[:half], found[half:], strict=True):
        for expected, computed in zip(apart, at_a_time, strict=True):
            if expected is None or computed is None:  # one may say that there is none, the other zero
                assert all(part is None or not part.any() for part in (expected, computed))
            else:
                assert torch.equal(computed, expected)


@pytest.mark.parametrize("without_gradients", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("cell", CELLS)
def test_two_directions_at_a_time_compute_the_same_without_gradients(cell, without_gradients):
    rnn = build((cell, 2, 2))
    x, lengths = torch.rand(len(UNSORTED), 6, E, dtype=torch.double), torch.tensor(UNSORTED)
    found = []
    with without_gradients():
        for rnn.both_at_once in (False, True):
            y, last = rnn(x, lengths)
            found.append([y, *itertools.chain(*last)])
            assert not any(part.requires_grad for part in found[-1])
    assert all(torch.equal(*parts) for parts in zip(*found, strict=True))


def test_what_fails_in_one_direction_is_raised_by_both(monkeypatch):
    rnn = build(("lstm", 2, 1))
    rnn.both_at_once = True

    def broken(*_):
        raise ArithmeticError("one direction")

    monkeypatch.setattr(rnn.layers[0][1], "forward", broken)
    with pytest.raises(ArithmeticError, match="one direction"):
        rnn(torch.rand(2, 400, E, dtype=torch.double, requires_grad=True), torch.tensor((400, 400)))
    assert rnn(torch.rand(2, 0, E, dtype=torch.double), torch.tensor((0, 0)))[0].shape == (2, 0, 2 * H)
