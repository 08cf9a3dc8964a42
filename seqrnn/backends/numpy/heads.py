"""What stands on a summary: from features to a score a class."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.weights import Array, Take, within

Head = Callable[[Array], Array]
"""`(N, F) -> (N, K)`."""


def take_head(take: Take, name: str, features: int, classes: int) -> Head:
    """Make a `linear` head, or an `mlp` with one hidden layer of the features' size."""
    if name == "linear":
        return Linear.take(within(take, "1"), features, classes)
    hidden = Linear.take(within(take, "1"), features, features)
    scores = Linear.take(within(take, "4"), features, classes)
    return lambda x: scores(np.tanh(hidden(x)))
