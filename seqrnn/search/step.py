"""What search knows of a model: one function from tokens to the log-probabilities of the next ones.

Shapes: N sequences that are continued side by side, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.int64]
"""Token ids, (N,), or (N, T) where they are a history."""

LogProbs = npt.NDArray[np.float64]
"""Natural-log probabilities of the next token, (N, V); single precision serves as well."""

States = Any
"""What a model remembers; search only hands it from one step to the next."""

Prediction = tuple[LogProbs, States]
"""What a step returns."""

Step = Callable[[Tokens, States], Prediction]
"""`(tokens (N,), states) -> (log_probs (N, V), states)`."""
