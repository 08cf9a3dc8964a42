"""What the scores of an example say, and cost: one label, several labels, or a number.

Shapes: B batch, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor

from seqrnn.backends.torch.loss import Loss, Objective, Output, binary_cross_entropy, known_cross_entropy

Judgement = Callable[[Tensor, Tensor | None, Objective], Output]
"""`(scores (B, K), targets or None, objective) -> Output`."""


def judge_one_label(scores: Tensor, labels: Tensor | None, objective: Objective) -> Output:
    """Compare with labels (B,), of which those from K on are unknown and cost nothing; `log_probs` (B, K)."""
    values = {"log_probs": scores.float().log_softmax(dim=1)}
    if labels is None:
        return Output(None, values)
    return Output(known_cross_entropy(scores, labels, objective), values)


def judge_several_labels(scores: Tensor, labels: Tensor | None, objective: Objective) -> Output:
    """Compare with 0/1 labels (B, K); `log_probs` (B, K), each of its class alone.

    Labels that training did not have are none of them.
    """
    values = {"log_probs": F.logsigmoid(scores.float())}
    if labels is None:
        return Output(None, values)
    return Output(Loss(binary_cross_entropy(scores, labels, objective), len(scores)), values)


def judge_number(scores: Tensor, numbers: Tensor | None, objective: Objective) -> Output:  # noqa: ARG001
    """Compare scores (B, 1) with `numbers` (B,): the loss is the squared difference."""
    predicted = scores.float().squeeze(1)
    values = {"numbers": predicted}
    if numbers is None:
        return Output(None, values)
    return Output(Loss(F.mse_loss(predicted, numbers, reduction="sum"), len(scores)), values)


def choose_judgement(sizes: Mapping[str, int]) -> Judgement:
    """Return the judgement of a task whose sizes say `numeric` or `multi_label` (0 or 1)."""
    if sizes.get("numeric"):
        return judge_number
    return judge_several_labels if sizes["multi_label"] else judge_one_label
