"""What stands on a summary: from features to a score a class."""

from __future__ import annotations

from torch import nn


def build_head(name: str, features: int, classes: int, dropout: float) -> nn.Module:
    """Make a `linear` head, or an `mlp` with one hidden layer of the features' size: (N, F) -> (N, K)."""
    if name == "linear":
        return nn.Sequential(nn.Dropout(dropout), nn.Linear(features, classes))
    return nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(features, features),
        nn.Tanh(),
        nn.Dropout(dropout),
        nn.Linear(features, classes),
    )
