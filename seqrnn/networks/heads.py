"""Classifier heads: from features (..., F) to a score a class (..., K)."""

from __future__ import annotations

from seqrnn.catalog import HEADS, load
from seqrnn.networks.ops import Map, Ops, Value


class Linear:
    """One linear layer."""

    def __init__(self, ops: Ops, features: int, classes: int, dropout: float) -> None:
        self._dropout = ops.dropout(dropout)
        self._output = ops.within("1").linear(features, classes)

    def __call__(self, x: Value) -> Value:
        """Score (..., F) -> (..., K)."""
        return self._output(self._dropout(x))


class MLP:
    """A hidden layer of the features' size, and a linear one."""

    def __init__(self, ops: Ops, features: int, classes: int, dropout: float) -> None:
        self._ops = ops
        self._dropout = ops.dropout(dropout)
        self._hidden = ops.within("1").linear(features, features)
        self._output = ops.within("4").linear(features, classes)

    def __call__(self, x: Value) -> Value:
        """Score (..., F) -> (..., K)."""
        hidden = self._ops.tanh(self._hidden(self._dropout(x)))
        return self._output(self._dropout(hidden))


def build_head(ops: Ops, name: str, features: int, classes: int, dropout: float) -> Map:
    """Make the head that a configuration names."""
    head: Map = load(HEADS[name])(ops, features, classes, dropout)
    return head
