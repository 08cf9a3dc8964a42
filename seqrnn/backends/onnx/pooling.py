"""From the hidden states of a sequence to one vector, in ONNX; see `backends/numpy/pooling.py`.

Every pooling takes the outputs (B, T, H), zero where a sequence has ended, the top layer's last state (B, H)
and the mask (B, T), and returns (B, H), zero for an empty sequence.
"""

from __future__ import annotations

from seqrnn.backends.onnx.graph import Part
from seqrnn.backends.onnx.layers import LOWEST, linear


def pool(part: Part, name: str, outputs: str, last: str, mask: str) -> str:
    """Add the pooling that a configuration names."""
    if name == "mean":
        return _mean(part, outputs, mask)
    if name == "max":
        return _maximum(part, outputs, mask)
    return _attention(part, outputs, mask) if name == "attention" else last


def _mean(part: Part, outputs: str, mask: str) -> str:
    graph = part.graph
    total = graph.add("ReduceSum", outputs, graph.integers(1), keepdims=0)
    return graph.add("Div", total, graph.add("Max", _count(part, mask), graph.number(1.0)))


def _maximum(part: Part, outputs: str, mask: str) -> str:
    graph = part.graph
    inside = graph.add("Unsqueeze", mask, graph.integers(2))  # (B, T, 1)
    kept = graph.add("Where", inside, outputs, graph.number(LOWEST))
    largest = graph.add("ReduceMax", kept, axes=[1], keepdims=0)
    some = graph.add("Greater", _count(part, mask), graph.number(0.0))  # (B, 1)
    return graph.add("Where", some, largest, graph.number(0.0))


def _attention(part: Part, outputs: str, mask: str) -> str:
    """`sum_t softmax_t(v . tanh(W h_t)) h_t`; an empty sequence has outputs of 0."""
    graph = part.graph
    keys = graph.add("Tanh", linear(part.within("key"), outputs))
    scores = linear(part.within("query"), keys, bias=False)  # (B, T, 1)
    inside = graph.add("Unsqueeze", mask, graph.integers(2))
    weights = graph.add("Softmax", graph.add("Where", inside, scores, graph.number(LOWEST)), axis=1)
    by_row = graph.add("Transpose", weights, perm=[0, 2, 1])  # (B, 1, T)
    return graph.add("Squeeze", graph.add("MatMul", by_row, outputs), graph.integers(1))


def _count(part: Part, mask: str) -> str:
    """Return the steps of each sequence, (B, 1)."""
    graph = part.graph
    return graph.add("ReduceSum", graph.add("Cast", mask, to="float32"), graph.integers(1), keepdims=1)
