"""Norms of hidden states, and gradients by how far back they reach, held against the recurrence by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqrnn.backends.torch.backend import TorchBackend
from seqrnn.backends.torch.memory import reading_layers, row_memories
from seqrnn.data.dataset.batching import BatchOrder


def one_direction(make_session, cell="elman", **settings):
    keys = {"model.cell": cell, "model.bidirectional": False, **settings}
    session = make_session("tsv", keys)
    batches = list(session.task.batches(session.prepared.train, BatchOrder()))
    return session.model.eval(), batches


def test_they_are_those_of_the_recurrence_of_an_elman_layer(make_session) -> None:
    model, batches = one_direction(make_session)
    batch = batches[0]
    found = list(row_memories(TorchBackend(model), [batch]))
    kernel = model.rnn.layers[0][0]
    w_x, w_h = kernel.weight_ih_l0.detach().double(), kernel.weight_hh_l0.detach().double()
    bias = (kernel.bias_ih_l0 + kernel.bias_hh_l0).detach().double()
    along = torch.randn(len(w_h), generator=torch.Generator().manual_seed(1)).double()
    along /= along.norm()
    rows = [row for row, length in enumerate(batch.arrays["lengths"].tolist()) if length]
    assert len(found) == len(rows)
    for row, memory in zip(rows, found, strict=True):
        length = int(batch.arrays["lengths"][row])
        x = model.embedding(torch.from_numpy(batch.arrays["source"][row])).detach().double()[:length]
        hidden = [torch.zeros(len(w_h), dtype=torch.float64)]
        for step in range(length):
            hidden.append(torch.tanh(w_x @ x[step] + w_h @ hidden[-1] + bias))
        assert memory.hidden == pytest.approx([h.norm().item() for h in hidden[1:]], rel=1e-4)
        norms, back = [], along
        for h in reversed(hidden[1:]):
            local = back * (1 - h**2)
            norms.append((local @ w_x).norm().item())
            back = local @ w_h
        assert memory.gradient == pytest.approx(norms[::-1], rel=1e-3)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_rows_end_at_their_own_length_whatever_is_beside_them(make_session, cell) -> None:
    model, batches = one_direction(make_session, cell)
    for batch in batches:
        lengths = [length for length in batch.arrays["lengths"].tolist() if length]
        found = list(row_memories(TorchBackend(model), [batch]))
        assert [len(memory.hidden) for memory in found] == lengths
        assert all(np.all(memory.hidden > 0) for memory in found)


def test_weights_have_no_gradient_and_no_hooks_afterwards(make_session) -> None:
    model, batches = one_direction(make_session)
    list(row_memories(TorchBackend(model), batches))
    layers = reading_layers(model)
    assert layers is not None
    assert not layers._forward_hooks
    assert not layers._forward_pre_hooks
    assert all(parameter.grad is None for parameter in model.parameters())


def test_where_nothing_recurs_there_is_no_memory(make_session) -> None:
    assert reading_layers(torch.nn.Linear(2, 2)) is None
    assert list(row_memories(TorchBackend(torch.nn.Linear(2, 2)), [])) == []
