"""What the scores of an example say: one label, several labels, or a number.

Shapes: B batch, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from seqrnn.backends.numpy.activations import log_sigmoid, log_softmax
from seqrnn.backends.numpy.weights import Array
from seqrnn.tasks.task import Values

Judgement = Callable[[Array], Values]
"""`scores (B, K) -> values`."""


def judge_one_label(scores: Array) -> Values:
    """Return `log_probs` (B, K) of all classes."""
    return {"log_probs": log_softmax(scores)}


def judge_several_labels(scores: Array) -> Values:
    """Return `log_probs` (B, K), each of its class alone."""
    return {"log_probs": log_sigmoid(scores)}


def judge_number(scores: Array) -> Values:
    """Return the `numbers` (B,)."""
    return {"numbers": scores[:, 0]}


def choose_judgement(sizes: Mapping[str, int]) -> Judgement:
    """Return the judgement of a task whose sizes say `numeric` or `multi_label` (0 or 1)."""
    if sizes.get("numeric"):
        return judge_number
    return judge_several_labels if sizes["multi_label"] else judge_one_label
