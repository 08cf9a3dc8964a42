"""Measuring a model on a data set."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from seqrnn.data.batching import Batch, Pass
from seqrnn.data.columns import Dataset
from seqrnn.engine.loss import Output
from seqrnn.errors import NumericError
from seqrnn.tasks.task import Task


def to_tensors(batch: Batch, device: torch.device) -> dict[str, Tensor]:
    """Move the arrays of a batch to `device`; lengths stay on the CPU, where batches are planned."""
    return {
        name: torch.from_numpy(array).to("cpu" if name.endswith("lengths") else device)
        for name, array in batch.arrays.items()
    }


def to_arrays(output: Output) -> dict[str, np.ndarray]:
    """Bring what a model computed to NumPy."""
    return {name: value.cpu().numpy() for name, value in output.values.items()}


@torch.inference_mode()
def evaluate(
    model: nn.Module, task: Task, dataset: Dataset, streams: int = 1
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure `model` on `dataset` in full precision.

    `streams` cuts a text into parts that are read side by side, each from its own start, which is
    faster and a little worse than one stream. Returns the figures by their public names, and the
    details beside them. Raises NumericError where the loss is not finite.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    scorer = task.scorer()
    total, targets, carry = 0.0, 0, None
    for batch in task.batches(dataset, Pass(streams=streams)):
        output: Output = model(to_tensors(batch, device), None if batch.starts else carry)
        assert output.loss is not None
        total, targets, carry = total + output.loss.total.item(), targets + output.loss.count, output.carry
        scorer.add(batch, to_arrays(output))
    model.train(was_training)
    loss = total / max(targets, 1)
    if not math.isfinite(loss):
        raise NumericError(
            f"the loss is {loss}: the weights are damaged or diverged; train with a lower rate"
        )
    figures = {"task": task.name, "examples": len(dataset), "tokens": targets, "loss": loss}
    return {**figures, **scorer.result(loss)}, scorer.details()
