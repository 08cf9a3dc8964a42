"""How well a model predicts text."""

from __future__ import annotations

import math

import numpy as np

MOST_COUNTED = 1_000_000  # ids of which an entropy is taken; of more, they are spread evenly


def language_scores(nats: float, tokens: int, characters: int) -> dict[str, float]:
    """Turn the summed loss of a text into figures by their public names.

    `nats` is the sum of `-ln p` over the `tokens` (at least 1) predicted, `characters` (at least 1)
    the number of Unicode characters that they stand for. Returns `loss` (nats a token),
    `perplexity` (infinite where it exceeds a double) and `bits_per_character`, which, unlike
    the former two, compares models with different tokenizers.
    """
    loss = nats / tokens
    return {
        "loss": loss,
        "perplexity": _exp(loss),
        "bits_per_character": nats / math.log(2) / characters,
    }


def entropy(ids: np.ndarray) -> float:
    """Return the entropy of non-negative integers (N,) by how often each is there, in nats."""
    counts = np.bincount(ids[:: 1 + len(ids) // MOST_COUNTED])
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf
