"""Attention against its equations, written as loops, and with nothing to look at."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from seqrnn.backends.torch.device import autocast
from seqrnn.backends.torch.ops import TorchOps
from seqrnn.networks.attention import build_attention

B, S, T, M, H = 3, 5, 4, 6, 3
LENGTHS = (5, 2, 0)
KINDS = ("dot", "general", "mlp")


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


class Attention(nn.Module):
    """The attention, and the module that has its parameters."""

    def __init__(self, kind, memory_size):
        super().__init__()
        self.described = build_attention(TorchOps(self, True), kind, memory_size, H)

    def memory(self, values, mask):
        return self.described.build_memory(values, mask)

    def forward(self, queries, memory):
        return self.described(queries, memory)


def build(kind, memory_size=M):
    torch.manual_seed(1)
    return Attention(kind, memory_size)


def inputs(memory_size=M):
    torch.manual_seed(2)
    mask = torch.arange(S) < torch.tensor(LENGTHS).unsqueeze(1)
    return torch.randn(B, T, H), torch.randn(B, S, memory_size), mask


def score(attention, kind, query, value):
    if kind == "mlp":
        hidden = attention.query.weight @ query + attention.query.bias + attention.keys.weight @ value
        return (attention.energy.weight[0] @ torch.tanh(hidden)).item()
    key = attention.keys.weight @ value if hasattr(attention, "keys") else value
    return (query @ key).item()


@pytest.mark.parametrize("memory_size", [M, H])
@torch.no_grad()
def test_a_context_is_the_mean_of_the_memory_weighed_by_the_scores(kind, memory_size):
    attention = build(kind, memory_size)
    queries, values, mask = inputs(memory_size)
    contexts = attention(queries, attention.memory(values, mask))
    for row, length in enumerate(LENGTHS):
        for step in range(T):
            weights = [
                math.exp(score(attention, kind, queries[row, step], values[row, place]))
                for place in range(length)
            ]
            expected = sum(
                (weight / sum(weights) * values[row, place] for place, weight in enumerate(weights)),
                start=torch.zeros(memory_size),
            )
            torch.testing.assert_close(contexts[row, step], expected, rtol=1e-4, atol=1e-5)


def test_dot_attention_learns_nothing_where_the_sizes_agree():
    assert not list(build("dot", H).parameters())
    assert list(build("dot", M).parameters())


def test_what_pads_the_memory_changes_nothing(kind):
    attention = build(kind)
    queries, values, mask = inputs()
    other = torch.where(mask.unsqueeze(2), values, torch.full_like(values, 1e4))
    contexts = [attention(queries, attention.memory(memory, mask)) for memory in (values, other)]
    torch.testing.assert_close(*contexts)


def test_a_batch_without_any_memory_has_the_context_0(kind):
    attention = build(kind)
    memory = attention.memory(torch.zeros(B, 0, M), torch.zeros(B, 0, dtype=torch.bool))
    assert (attention(inputs()[0], memory) == torch.zeros(B, T, M)).all()


def test_every_parameter_and_an_unpadded_memory_get_finite_gradients(kind):
    attention = build(kind)
    queries, values, mask = inputs()
    values.requires_grad_()
    attention(queries, attention.memory(values, mask)).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in attention.parameters())
    assert values.grad.isfinite().all()
    assert (values.grad[~mask] == 0).all()


def test_weights_are_computed_in_float32_where_the_rest_is_not(kind, monkeypatch):
    attention = build(kind)
    queries, values, mask = inputs()
    seen = []
    softmax = torch.Tensor.softmax
    monkeypatch.setattr(torch.Tensor, "softmax", lambda x, dim: seen.append(x.dtype) or softmax(x, dim))
    with autocast(torch.device("cpu"), torch.bfloat16):
        low = attention(queries.bfloat16(), attention.memory(values.bfloat16(), mask))
    assert seen == [torch.float32]
    assert low.dtype == torch.bfloat16
    high = attention(queries, attention.memory(values, mask))
    torch.testing.assert_close(low.float(), high, rtol=0.1, atol=0.1)


def test_none_is_no_attention():
    assert build_attention(TorchOps(nn.Module(), True), "none", M, H) is None


def test_an_unknown_name_is_an_error():
    with pytest.raises(KeyError):
        build("none of these")
