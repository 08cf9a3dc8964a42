"""Scores to probabilities, along the last axis."""

from __future__ import annotations

import numpy as np

from seqrnn.backends.numpy.weights import Array
from seqrnn.search.step import log_softmax

__all__ = ["log_sigmoid", "log_softmax", "masked_softmax"]

LOWEST = np.finfo(np.float32).min


def log_sigmoid(scores: Array) -> Array:
    """Return `log sigmoid(scores)`, in nats."""
    log_probs: Array = -np.logaddexp(np.float32(0.0), -scores)
    return log_probs


def masked_softmax(scores: Array, mask: Array) -> Array:
    """Return the softmax over the places where `mask` is true, the others 0; all 0 where none is."""
    kept = np.where(mask, scores, LOWEST)
    weights: Array = np.exp(kept - kept.max(axis=-1, keepdims=True)) * mask
    total = weights.sum(axis=-1, keepdims=True)
    weights /= np.where(total > 0.0, total, np.float32(1.0))
    return weights
