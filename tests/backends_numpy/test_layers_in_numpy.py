"""Many sequences that are alike, in both directions, against PyTorch's own layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqrnn.backends.numpy import layer as layer_module
from seqrnn.backends.numpy import rnn as rnn_module
from seqrnn.backends.numpy.inputs import IndexedSequence
from seqrnn.backends.numpy.lengths import reverse_sequences
from seqrnn.backends.numpy.rnn import RNN
from seqrnn.backends.torch import rnn as engine_rnn
from seqrnn.catalog import CELLS
from seqrnn.cells.sizes import RNNSizes


def pair(cell, sizes):
    torch.manual_seed(1)
    engine = engine_rnn.RNN(cell, sizes).eval()
    weights = {name: tensor.numpy() for name, tensor in engine.state_dict().items()}
    return engine, RNN(lambda name, shape: weights[name].reshape(shape), cell, sizes)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("most", [0, 2**24])  # blocks of few nodes, each with its inputs; or all at once
def test_sequences_that_begin_and_end_alike(cell, directions, most, monkeypatch):
    monkeypatch.setattr(layer_module, "CACHED", most)
    monkeypatch.setattr(layer_module, "MOST_BROUGHT", most)
    sizes = RNNSizes(3, 4, 2, bidirectional=directions == 2)
    engine, twin = pair(cell, sizes)
    generator = np.random.default_rng(2)
    table = generator.standard_normal((3, 3), dtype=np.float32)
    tokens, lengths = generator.integers(0, 3, (60, 6)), generator.integers(0, 7, 60)
    hidden, states = twin(IndexedSequence.of(table, tokens), lengths)
    with torch.inference_mode():
        expected, last = engine(torch.from_numpy(table[tokens]), torch.from_numpy(lengths))
    np.testing.assert_allclose(hidden.dense(), expected.numpy(), atol=1e-6)
    for state, theirs in zip(states, last, strict=True):
        for array, tensor in zip(state, theirs, strict=True):
            np.testing.assert_allclose(array, tensor.numpy(), atol=1e-6)


def test_a_batch_goes_on_from_states_as_if_it_had_been_read_at_once():
    _, twin = pair("lstm", RNNSizes(3, 4, 2))
    vectors = np.random.default_rng(3).standard_normal((20, 7, 3), dtype=np.float32)
    lengths = np.full(20, 7)
    whole, end = twin(vectors, lengths)
    _, middle = twin(vectors[:, :3], np.full(20, 3))
    rest, same_end = twin(vectors[:, 3:], lengths - 3, middle)
    np.testing.assert_allclose(rest.dense(), whole.dense()[:, 3:], atol=1e-6)
    np.testing.assert_allclose(same_end[1][1], end[1][1], atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("directions", [1, 2])
def test_a_few_steps_at_a_time_are_read_as_all_at_once(cell, directions, monkeypatch):
    _, twin = pair(cell, RNNSizes(3, 4, 2, bidirectional=directions == 2))
    generator = np.random.default_rng(4)
    table = generator.standard_normal((3, 3), dtype=np.float32)
    tokens, lengths = (
        generator.integers(0, 3, (20, 11)),
        np.array([11, 0, 3, 4, *generator.integers(0, 12, 16)]),
    )
    whole, states = twin(IndexedSequence.of(table, tokens), lengths)
    monkeypatch.setattr(rnn_module, "MAX_STEPS", 3)
    parts, same_states = twin(IndexedSequence.of(table, tokens), lengths)
    np.testing.assert_allclose(parts.dense(), whole.dense(), atol=1e-6)
    for state, same in zip(states, same_states, strict=True):
        for array, again in zip(state, same, strict=True):
            np.testing.assert_allclose(again, array, atol=1e-6)


def test_turning_round_twice_changes_nothing():
    numbers = np.arange(12).reshape(3, 4)
    lengths = np.array([4, 2, 0])
    once = reverse_sequences(numbers, lengths)
    assert once.tolist() == [[3, 2, 1, 0], [5, 4, 6, 7], [8, 9, 10, 11]]
    assert (reverse_sequences(once, lengths) == numbers).all()
