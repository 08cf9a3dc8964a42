"""Losses as a sum and a count, so that padding and batch size never change a mean."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from seqrnn.backends.torch.rnn import Layers


@dataclass(frozen=True)
class Loss:
    """A sum of losses in nats over `count` targets."""

    total: Tensor  # scalar
    count: Tensor | int  # a scalar as well, where only the device knows it


@dataclass(frozen=True)
class Output:
    """What a model returns for a batch."""

    loss: Loss | None  # None where the batch has no targets
    values: dict[str, Tensor]  # what scorers and answers are made from
    carry: Layers | None = None  # the state that the next segment of a text goes on from


@dataclass(frozen=True)
class Objective:
    """How training bends the loss; evaluation never does."""

    label_smoothing: float = 0.0
    class_weights: Tensor | None = None  # (K,)
    sampled_tokens: int = 0  # draws that estimate the loss over a large vocabulary; 0: it is exact


PLAIN = Objective()


IGNORED = -100


def known_cross_entropy(logits: Tensor, targets: Tensor, objective: Objective) -> Loss:
    """Return the cross-entropy of (N, K) logits over the targets (N,) from 0 to below K, the known ones.

    The others are names that training did not have: the model gives them no probability at all, so
    they are left out of sum and count.
    """
    known = (targets >= 0) & (targets < logits.shape[1])
    total = cross_entropy(logits, targets.masked_fill(~known, IGNORED), objective, IGNORED)
    return Loss(total, known.sum())


def cross_entropy(logits: Tensor, targets: Tensor, objective: Objective, ignore: int = IGNORED) -> Tensor:
    """Sum `-log softmax(logits)[target]` over (N, K) logits and (N,) targets, in nats.

    Computed in float32 whatever the logits are; targets equal to `ignore` do not count.
    """
    return F.cross_entropy(
        logits.float(),
        targets,
        weight=objective.class_weights,
        ignore_index=ignore,
        reduction="sum",
        label_smoothing=objective.label_smoothing,
    )


def binary_cross_entropy(logits: Tensor, targets: Tensor, objective: Objective) -> Tensor:
    """Sum the binary losses of (N, K) logits against 0/1 targets (N, K), in nats."""
    smoothing = objective.label_smoothing
    smoothed = targets.float() * (1.0 - smoothing) + 0.5 * smoothing
    return F.binary_cross_entropy_with_logits(
        logits.float(), smoothed, pos_weight=objective.class_weights, reduction="sum"
    )


def squared_error(scores: Tensor, numbers: Tensor, objective: Objective) -> Loss:  # noqa: ARG001
    """Sum the squared differences of scores (B, 1) and `numbers` (B,)."""
    return Loss(F.mse_loss(scores.float().squeeze(1), numbers, reduction="sum"), len(scores))
