"""Networks of several sizes that a task offers, where a time budget decides how long each can be trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct

from seqrnn.tasks.regularization import Regularization


class SizePreset(Struct, frozen=True):
    """Settings of a network, and what it has been measured to learn: its validation loss by updates made.

    Only the order of the losses of several presets counts, which other data share more often than the losses.
    """

    settings: Mapping[str, Any]
    losses: Mapping[int, float]
    needs_gpu: bool = False
    regularization: Regularization | None = None

    def loss_after(self, updates: float) -> float:
        """Return the loss after so many updates, between two measurements along their logarithms."""
        known = sorted(self.losses)
        return float(np.interp(math.log(max(updates, 1.0)), np.log(known), [self.losses[n] for n in known]))
