"""How strongly a network is regularized: the more often it sees the same data, the more."""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct


class Regularization(Struct, frozen=True):
    """Settings, such as dropout, for a training of up to `few` passes over its data and for one of `many`.

    `settings` holds both values of each key; between them a value follows the logarithm of the passes.
    """

    few: float
    many: float
    settings: Mapping[str, tuple[float, float]]

    def for_passes(self, passes: float) -> Mapping[str, float]:
        """Return the settings of a training of so many passes."""
        share = math.log(max(passes, self.few) / self.few) / math.log(self.many / self.few)
        share = min(share, 1.0)
        return {
            key: round((1.0 - share) * least + share * most, 3)
            for key, (least, most) in self.settings.items()
        }
