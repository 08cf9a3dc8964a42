"""What an evaluation has measured, with the type of each part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from seqrnn.metrics.calibration import Coverage, ReliabilityBin
    from seqrnn.metrics.classification import ClassScores, Confusion

Figure: TypeAlias = float | int | str | None
"""A rate, a loss, a count, or the name of a task; None where the data define no value."""

Figures: TypeAlias = Mapping[str, Figure]
"""Figures by their public names, such as `accuracy`."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good a model is on data that have the answers.

    `figures` are by their public names, such as `accuracy`. `classes` holds the scores of each class (or type
    of span), `confusions` the confused pairs of classes, the most frequent first, both empty where the task
    has none; `signatures` repeat sacrebleu's scores elsewhere, and `notes` say what was found in the data.
    Where choices are judged, `reliability` holds the bins of a reliability diagram, `coverage` a curve of
    accuracy over coverage.
    """

    figures: Figures
    classes: tuple[ClassScores, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    signatures: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    reliability: tuple[ReliabilityBin, ...] = ()
    coverage: tuple[Coverage, ...] = ()

    @property
    def as_json(self) -> dict[str, Figure | Mapping[str, str]]:
        """The figures, and the signatures where there are any."""
        return {**self.figures, **({"signatures": self.signatures} if self.signatures else {})}

    def __getitem__(self, name: str) -> Figure:
        """Return a figure, such as `evaluation["accuracy"]`."""
        return self.figures[name]
