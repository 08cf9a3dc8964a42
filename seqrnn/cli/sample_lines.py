"""Samples of a training under way: a line for each row, or a few of a text that a language model writes."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from seqrnn.cli.drawing import INDENT, Paper
from seqrnn.library.training_samples import Sample, Sampled

MIN_ROW, MAX_ROW = 16, 60  # columns of a row, which takes a third of the line
NO_ROWS = "no samples: the validation rows cannot be read again"


class LiveSamples:
    """The newest samples, which are drawn over those before."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._newest: Sampled | None = None

    def take(self, event: Sampled) -> None:
        """Take note of samples."""
        self._newest = event

    def __rich__(self) -> Text:
        """Return the lines to draw; none before there are any."""
        lines = [] if self._newest is None else list(sample_lines(self._newest, self._width))
        return Text("\n".join(lines), no_wrap=True, end="\n" if lines else "")


def sample_lines(event: Sampled, width: int) -> Iterator[str]:
    """Yield a line for each sample, of at most so many columns."""
    paper = Paper(width)
    yield f"{INDENT}samples at step {event.step:,}:" if event.samples else f"{INDENT}{NO_ROWS}"
    for sample in event.samples:
        yield paper.clipped(f"{INDENT}{_line(sample, paper)}", width)


def _line(sample: Sample, paper: Paper) -> str:
    if not sample.row:
        return sample.answer
    row = paper.clipped(sample.row, min(max(paper.width // 3, MIN_ROW), MAX_ROW))
    is_wrong = sample.right is not True and sample.expected and sample.expected != sample.answer
    aim = f"  (right: {sample.expected})" if is_wrong else ""
    return f"{row} -> {sample.answer}{aim}"
