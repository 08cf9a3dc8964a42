"""What the scores (B, K) of an example say: one label, several labels, or a number.

Shapes: B batch, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from seqrnn.networks.ops import Ops, Value

Values = dict[str, Value]
"""What the scorers and answers of a task are made from, by name."""

Prediction = Callable[[Ops, Value], Values]
"""`(ops, scores (B, K)) -> values`."""


def one_label(ops: Ops, scores: Value) -> Values:
    """Return `log_probs` (B, K) of all classes."""
    return {"log_probs": ops.log_softmax(scores)}


def several_labels(ops: Ops, scores: Value) -> Values:
    """Return `log_probs` (B, K), each of its class alone."""
    return {"log_probs": ops.log_sigmoid(scores)}


def number(ops: Ops, scores: Value) -> Values:
    """Return the `numbers` (B,): the only score of each example."""
    return {"numbers": ops.remove_axis(ops.floats(scores), 1)}


def choose_prediction(sizes: Mapping[str, int]) -> Prediction:
    """Return the prediction of a task whose sizes say `numeric` or `multi_label` (0 or 1)."""
    if sizes.get("numeric"):
        return number
    return several_labels if sizes["multi_label"] else one_label
