"""How a training went: losses, the figure that decides, learning rate and speed by updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from seqrnn.library.run_facts import points

Points = Sequence[tuple[float, float]]
RISEN = 0.02  # of the lowest validation loss: a rise beyond that is over-fitting
FALLING = 0.02  # a fall in the last quarter beyond which more training would have helped
FEWEST = 4  # evaluations from which a course can be told
MOST_POINTS = 400  # of a curve


@dataclass(frozen=True)
class Curves:
    """The history of a training, each curve as pairs of update and value.

    `metric` is the figure that decides which weights are kept, `speed` updates a second between evaluations,
    `verdict` what the losses say.
    """

    evaluations: int
    train: Points
    valid: Points
    metric_name: str | None
    metric: Points
    rate: Points
    speed: Points
    best_step: int
    verdict: str


def learning_curves(
    history: Sequence[Mapping[str, Any]], metric: str | None, best_step: int, fewest: int = 2
) -> Curves | None:
    """Return the curves of the lines of `metrics.jsonl`; None where there are fewer than `fewest`."""
    lines = [line for line in history if not line.get("best")]
    if len(lines) < fewest:
        return None
    valid, epochs = points(lines, "loss"), dict(points(lines, "epoch"))
    name = metric if metric and metric != "loss" else None
    found: list[Points] = [points(lines, "train_loss"), valid, points(lines, name) if name else []]
    found += [points(lines, "learning_rate"), _speed(points(lines, "seconds"))]
    train, shown, decides, rate, speed = map(thinned, found)
    verdict = course(valid, epochs)
    return Curves(len(lines), train, shown, name, decides, rate, speed, best_step, verdict)


def course(valid: Points, epochs: Mapping[float, float]) -> str:
    """Say in a sentence whether the validation loss has risen, still falls, or has levelled off."""
    if len(valid) < FEWEST:
        return "Too few evaluations to tell whether it over-fits."
    step, lowest = min(valid, key=lambda point: point[1])
    last = valid[-1][1]
    if last > lowest * (1 + RISEN) and step != valid[-1][0]:
        return (
            f"The validation loss was lowest {_when(step, epochs)} and has risen by {last / lowest - 1:.0%} "
            "since then: the network over-fits."
        )
    if step == valid[0][0]:
        return "The validation loss was lowest at the first evaluation: little was learnt after it."
    before = valid[-1 - max(1, len(valid) // 4)][1]
    if before - last > FALLING * abs(before):
        return (
            "The validation loss was still falling at the end: no over-fitting, and more training may help."
        )
    return "The validation loss has levelled off: no over-fitting, and little to gain from more training."


def thinned(found: Points, most: int = MOST_POINTS) -> Points:
    """Return at most about `most` points spread evenly, the last among them."""
    stride = -(-len(found) // most) if found else 1
    kept = list(found[::stride])
    return kept if not found or kept[-1] == found[-1] else [*kept, found[-1]]


def _speed(seconds: Points) -> Points:
    """Return updates a second, of a short rest at the end, little but an evaluation, with those before it."""
    lengths = sorted(step - before for (before, _), (step, _) in pairwise(seconds))
    if len(lengths) > 1 and seconds[-1][0] - seconds[-2][0] < lengths[len(lengths) // 2] / 2:
        seconds = [*seconds[:-2], seconds[-1]]
    return [
        (step, (step - before) / (now - then))
        for (before, then), (step, now) in pairwise(seconds)
        if step > before and now > then
    ]


def _when(step: float, epochs: Mapping[float, float]) -> str:
    epoch = epochs.get(step)
    return f"at update {step:,.0f}" if epoch is None else f"in epoch {epoch:.1f} (update {step:,.0f})"
