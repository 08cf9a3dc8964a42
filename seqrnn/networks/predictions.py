"""What the scores of an example say: one label, several labels, or a number.

Shapes: B batch, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from seqrnn.networks.ops import Ops, Value

Values = dict[str, Value]
"""What the scorers and answers of a task are made from, by name."""

Prediction = Callable[[Value], Values]
"""`scores (B, K) -> values`."""


class OneLabel:
    """`log_probs` (B, K) of all classes."""

    def __init__(self, ops: Ops) -> None:
        self._ops = ops

    def __call__(self, scores: Value) -> Values:
        """Return them by name."""
        return {"log_probs": self._ops.log_softmax(scores)}


class SeveralLabels:
    """`log_probs` (B, K), each of its class alone."""

    def __init__(self, ops: Ops) -> None:
        self._ops = ops

    def __call__(self, scores: Value) -> Values:
        """Return them by name."""
        return {"log_probs": self._ops.log_sigmoid(scores)}


class Number:
    """`numbers` (B,): the only score of each example."""

    def __init__(self, ops: Ops) -> None:
        self._ops = ops

    def __call__(self, scores: Value) -> Values:
        """Return them by name."""
        return {"numbers": self._ops.remove_axis(self._ops.floats(scores), 1)}


def build_prediction(ops: Ops, sizes: Mapping[str, int]) -> OneLabel | SeveralLabels | Number:
    """Make the prediction of a task whose sizes say `numeric` or `multi_label` (0 or 1)."""
    if sizes.get("numeric"):
        return Number(ops)
    return SeveralLabels(ops) if sizes["multi_label"] else OneLabel(ops)
