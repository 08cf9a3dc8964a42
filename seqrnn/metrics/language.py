"""How well a model predicts text."""

from __future__ import annotations

import math


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


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf
