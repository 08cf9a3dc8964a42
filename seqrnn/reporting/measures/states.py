"""How long a network remembers: hidden states over time, and gradients by how far back they reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST = 0.5  # share of the rows that must be as long for a step to count
MOST_STEPS = 200
LITTLE = 0.01  # of the largest gradient: what is less is called gone

Points = Sequence[tuple[float, float]]
Array = NDArray[np.floating]


@dataclass(frozen=True)
class States:
    """Means over some rows.

    `norms` are those of the hidden states by step, from 1. `reach` is the norm of the gradient of the last
    state with respect to the input so many steps before, as a share of the largest; `gone` is the number
    of steps from which it stays below a hundredth, None where it does not.
    """

    rows: int
    norms: Points
    reach: Points
    gone: int | None
    verdict: str


def hidden_states(rows: Sequence[tuple[Array, Array]]) -> States | None:
    """Average the norms of hidden states (T,) and of gradients (T,) of rows; None where there are none."""
    rows = [row for row in rows if len(row[0]) > 1]
    if not rows:
        return None
    lengths = np.sort([len(hidden) for hidden, _ in rows])[::-1]
    steps = min(int(lengths[int((len(rows) - 1) * FEWEST)]), MOST_STEPS)
    hidden = [_mean([row[step] for row, _ in rows if len(row) > step]) for step in range(steps)]
    back = [_mean([row[-1 - step] for _, row in rows if len(row) > step]) for step in range(steps)]
    largest = max(back)
    shares = [value / largest for value in back] if largest > 0 else back
    gone = next((step for step in range(steps) if max(shares[step:]) < LITTLE), None)
    reach = [(float(step), share) for step, share in enumerate(shares)]
    return States(
        len(rows),
        [(step + 1.0, norm) for step, norm in enumerate(hidden)],
        reach,
        gone,
        _verdict(gone, steps),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _verdict(gone: int | None, steps: int) -> str:
    if gone is None:
        return f"The last state still depends on what was read {steps - 1:,} steps before it."
    return (
        f"The last state hardly depends on what was read {gone:,} or more steps before it: the gradient "
        "there is less than 1% of the largest."
    )
