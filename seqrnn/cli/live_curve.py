"""The learning curve of a training under way, drawn anew several times a second."""

from __future__ import annotations

from rich.text import Text

from seqrnn.cli.drawing import INDENT, NARROWEST, WIDEST, Paper
from seqrnn.library.figures import head, shown
from seqrnn.training.events import Evaluated, Stepped

HEIGHT = 7  # lines of the curve
MIN_LINES = 20  # of a terminal in which it is drawn
MAX_POINTS = 400  # of the training loss, of which neighbours are averaged
BURN_IN = 0.05  # share of the training so far whose loss, far above what follows, is not drawn


class LiveCurve:
    """Training and validation loss over the updates so far, and the best evaluation."""

    def __init__(self, width: int, lines: int, ascii_only: bool) -> None:
        """Take the size of a terminal; nothing is drawn in one that is too small."""
        self._paper = Paper(min(width, WIDEST), ascii_only)
        self._fits = width >= NARROWEST and lines >= MIN_LINES
        self.clear()

    def clear(self) -> None:
        """Begin anew, with another training."""
        self._train: list[tuple[float, float]] = []  # step and mean loss, each of so many updates
        self._group, self._held = 1, list[tuple[float, float]]()
        self._valid: list[tuple[float, float]] = []
        self._best = ""

    def step(self, event: Stepped) -> None:
        """Take note of an update."""
        if event.skipped:
            return
        self._held.append((event.step, event.loss))
        if len(self._held) < self._group:
            return
        self._train.append(_mean(self._held))
        self._held = []
        if len(self._train) > MAX_POINTS:
            pairs = zip(self._train[::2], self._train[1::2], strict=False)
            self._train, self._group = [_mean(list(pair)) for pair in pairs], 2 * self._group

    def evaluated(self, event: Evaluated) -> None:
        """Take note of an evaluation."""
        if isinstance(loss := event.metrics.get("loss"), float):
            self._valid.append((event.step, loss))
        if event.best:
            value = shown(event.metric, event.metrics.get(event.metric))
            self._best = (
                f"best so far: {head(event.metric)} {value} (step {event.step:,}, epoch {event.epoch:.2f})"
            )

    def __rich__(self) -> Text:
        """Return the lines to draw; none before there is something to see."""
        lines = list(self._lines()) if self._fits and len(self._train) > 1 else []
        return Text("\n".join(lines), no_wrap=True, end="\n" if lines else "")

    def _lines(self) -> list[str]:
        train, valid = self._paper.marks
        start = BURN_IN * self._train[-1][0]
        later = [point for point in self._train if point[0] >= start]
        curves = [(train, later), (valid, [point for point in self._valid if point[0] >= start])]
        said = f"{INDENT}loss {train} training {valid} validation"
        with_best = f"{said}   {self._best}" if self._best else said
        fits = len(with_best) <= self._paper.width
        return [
            with_best if fits else said,
            *self._paper.curves([curve for curve in curves if curve[1]], HEIGHT),
            *([] if fits else [f"{INDENT}{self._best}"[: self._paper.width]]),
        ]


def _mean(points: list[tuple[float, float]]) -> tuple[float, float]:
    steps, losses = zip(*points, strict=True)
    return steps[-1], sum(losses) / len(losses)
