"""What the scores (B, K) of an example say: one label, several labels, or a number.

Shapes: B batch, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from seqrnn.networks.ops import Ops, Value
from seqrnn.networks.sizes import Predicts

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


class PredictingNetwork(Protocol):
    """A network of which a batch's scores are computed, and then what answers are made from."""

    def scores(self, arrays: Mapping[str, Value]) -> Value:
        """Score a batch."""

    def predict(self, scores: Value, arrays: Mapping[str, Value]) -> Values:
        """Return what answers are made from, of the scores of a batch."""


class LabellingNetwork(PredictingNetwork, Protocol):
    """One whose scores are of whole examples, (B, K)."""

    prediction: Prediction


PREDICTIONS: Mapping[Predicts, Prediction] = {
    "label": one_label,
    "labels": several_labels,
    "number": number,
}
