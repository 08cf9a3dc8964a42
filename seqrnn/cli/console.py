"""What a person sees of a training: all of it on standard error."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.filesize import decimal
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from seqrnn.cli.evaluation_table import EvaluationTable, figures
from seqrnn.cli.live_curve import LiveCurve
from seqrnn.cli.sample_lines import LiveSamples, sample_lines
from seqrnn.cli.spelling import in_flags
from seqrnn.data.dataset.progress import Preparing
from seqrnn.data.lines import printable
from seqrnn.library.figures import clock
from seqrnn.library.training_samples import Sampled
from seqrnn.training.advice import Adviser
from seqrnn.training.events import Evaluated, Event, Finished, Measured, RolledBack, Started, Stepped

if TYPE_CHECKING:
    from seqrnn.library.final_test import FinalTest

PLAIN_INTERVAL = 10.0  # seconds between progress lines where stderr is no terminal
MAX_LINE_LENGTH = 1000  # characters of such a line
MIN_PROGRESS = 0.001  # share of a training from which its pace can be told
REFRESHES = 4  # of what is drawn live, a second


class Meter:
    """The speed and the loss of the last few seconds, and the time that is left."""

    MEMORY = 0.95  # how much of the old mean of the loss an update keeps

    def __init__(self) -> None:
        self.loss = math.nan
        self.tokens_per_second = 0.0
        self._since = time.monotonic()
        self._tokens = 0
        self._first: Stepped | None = None

    def add(self, event: Stepped) -> None:
        """Take note of an update."""
        self._first = self._first or event
        if not event.skipped:
            old = event.loss if math.isnan(self.loss) else self.loss
            self.loss = self.MEMORY * old + (1 - self.MEMORY) * event.loss
        self._tokens += event.tokens
        passed = time.monotonic() - self._since
        if passed > 1.0 or not self.tokens_per_second:
            self.tokens_per_second = self._tokens / max(passed, 1e-3)
            self._since, self._tokens = time.monotonic(), 0

    def line(self, event: Stepped, width: int) -> str:
        """Return the state of the training in one line of at most so many characters, if possible."""
        parts = [
            f"loss {self.loss:.3f}",
            f"{self.tokens_per_second:,.0f} tokens/s",
            f"{event.padding:.0%} padding",
            f"{clock(self._seconds_left(event))} left",
        ]
        for spare in (2, 1):
            if len("  ".join(parts)) > width:
                del parts[spare]
        return "  ".join(parts)

    def _seconds_left(self, event: Stepped) -> float:
        """Return the time that is left at the pace since the first update, which took longer than others.

        Evaluations count as well. The time before a training was resumed tells nothing of its pace.
        """
        first = self._first or event
        seconds, done = event.seconds - first.seconds, event.fraction - first.fraction
        if seconds < 1.0 or done < MIN_PROGRESS:
            seconds, done = event.seconds, event.fraction
        return seconds / max(done, 1e-6) * (1.0 - event.fraction)


class TrainingConsole:
    """Follows the events of a training: a live bar on a terminal, plain lines elsewhere."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, highlight=False, markup=False, emoji=False, quiet=quiet)
        self._live = self.console.is_terminal and not self.console.is_dumb_terminal and not quiet
        # A terminal's lines break between words; in a log file, a line is a line.
        self.console.soft_wrap = not self.console.is_terminal
        self._meter = Meter()
        self._bar_width = 16 if self.console.width >= 76 else 8
        self._progress = Progress(
            BarColumn(bar_width=self._bar_width),
            TextColumn("[bold]{task.percentage:>3.0f}%[/]  {task.fields[status]}"),
            console=self.console,
            transient=True,
            disable=not self._live,
        )
        self._bar = self._progress.add_task("", total=1.0, status="starting")
        self._table = EvaluationTable(self.console.width if self.console.is_terminal else None)
        ascii_only = not self.console.encoding.lower().startswith("utf")
        self._curve = LiveCurve(self.console.width, self.console.height, ascii_only)
        self._samples = LiveSamples(self.console.width)
        self._adviser = Adviser()
        self._plain_at = time.monotonic()
        self._held: list[str] | None = None

    def say(self, text: str) -> None:
        """Print one line for the user, or hold it while something is being prepared."""
        if self._held is None:
            self.console.print(printable(in_flags(text)))
        else:
            self._held.append(text)

    @contextmanager
    def preparing(self, what: str) -> Iterator[Callable[[Preparing], None]]:
        """Yield what draws the state of a long preparation.

        All lines are held to the end, and dropped if that is an error, which is shown alone.
        """
        held: list[str] = []
        self._held = held
        bar = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=16),
            TextColumn("{task.description}"),
            console=self.console,
            transient=True,
            disable=not self._live,
        )
        with bar:
            task = bar.add_task(what, total=None)
            yield partial(self._draw_preparing, bar, task)
        self._held = None
        for line in held:
            self.say(line)

    def _draw_preparing(self, bar: Progress, task: TaskID, event: Preparing) -> None:
        bar.update(task, description=preparation_line(event), total=1.0, completed=event.fraction)
        if not self._live and time.monotonic() - self._plain_at >= PLAIN_INTERVAL:
            self._plain_at = time.monotonic()
            self.console.print(f"{event.fraction:4.0%}  {preparation_line(event)}")

    def follow(self, events: Iterable[Event | Sampled]) -> None:
        """Draw the events as they come, to the end."""
        drawn = Group(self._curve, self._samples, self._progress)
        live = Live(drawn, console=self.console, transient=True, refresh_per_second=REFRESHES)
        with live if self._live else nullcontext():
            for event in events:
                if isinstance(event, Sampled):
                    self._sampled(event)
                    continue
                self._draw(event)
                for line in self._adviser.look(event):
                    self.say(line)

    def _sampled(self, event: Sampled) -> None:
        """Show what the model answers now: live instead of what it answered before, else as lines."""
        self._samples.take(event)
        if not self._live:
            for line in sample_lines(event, MAX_LINE_LENGTH):
                self.say(line)

    def test(self, test: FinalTest, run: Path, device: str) -> None:
        """Measure the best weights of a run on data that nothing was chosen by, and print the figures."""
        from seqrnn.cli.tables import pairs

        measured = test.measure(run, device)
        self.say(f"test on {', '.join(test.files)}:")
        for line in (*pairs(measured.figures).splitlines(), *measured.notes):
            self.say(line)

    def _draw(self, event: Event) -> None:
        match event:
            case Started():
                self._meter, self._adviser = Meter(), Adviser()
                self._curve.clear()
                if event.step:
                    self.say(f"continuing from step {event.step:,}")
                if event.complete:
                    self.say("nothing was left to do; --epochs, --steps or --budget gives it a new length")
            case Stepped():
                self._step(event)
            case Evaluated():
                self._row(event)
            case RolledBack():
                back = f"the weights of step {event.to_step:,}" if event.to_step else "new weights"
                self.say(
                    f"step {event.step:,}: {event.reason}; back to {back}, with half the learning rate "
                    f"({event.learning_rate:.2g})"
                )
            case Finished():
                self.say(f"{event.step:,} updates in {clock(event.seconds)}: {event.reason}")
                self._progress.update(self._bar, completed=1.0, status="measuring the best weights")
            case Measured():
                self.say(f"best, step {event.step:,}: {figures(event.as_in_training or event.metrics)}")
                if event.as_in_training:
                    self.say(f"{event.how}: {figures(event.metrics)}")
                for note in event.notes:
                    self.say(note)

    def _step(self, event: Stepped) -> None:
        self._meter.add(event)
        self._curve.step(event)
        if event.skipped:
            self.console.print(f"step {event.step:,}: the loss is not finite; update skipped", style="yellow")
        room = self.console.width - self._bar_width - len(" 100%  ") if self._live else MAX_LINE_LENGTH
        status = self._meter.line(event, room)
        self._progress.update(self._bar, completed=event.fraction, status=status)
        if not self._live and time.monotonic() - self._plain_at >= PLAIN_INTERVAL:
            self._plain_at = time.monotonic()
            self.say(f"{event.fraction:4.0%}  step {event.step:,}  {status}")

    def _row(self, event: Evaluated) -> None:
        """Print an evaluation as a row of a table, the head first."""
        for line in self._table.head(event):
            self.console.print(line, style="dim")
        self._curve.evaluated(event)
        self.console.print(self._table.row(event), style="bold" if event.best else None)


def preparation_line(event: Preparing) -> str:
    """Return how far a preparation is: bytes, their speed in this pass, and the time left for all."""
    speed = int(event.done / max(event.pass_seconds, 1e-3))
    return (
        f"{event.what} {decimal(event.done)} of {decimal(event.total)}  "
        f"{decimal(speed)}/s  {clock(event.left)} left"
    )
