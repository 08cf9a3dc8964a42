"""What a person sees of a training: all of it on standard error."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from seqrnn.cli.tables import head, shown
from seqrnn.engine.events import Evaluated, Event, Finished, Measured, Started, Stepped

PLAIN_INTERVAL = 10.0  # seconds between progress lines where stderr is no terminal
HIDDEN = ("task", "examples", "tokens", "micro_f1")  # figures that have no column of their own


class Meter:
    """The speed and the loss of the last few seconds, and the time that is left."""

    MEMORY = 0.95  # how much of the old mean of the loss an update keeps

    def __init__(self) -> None:
        self.loss = math.nan
        self.tokens_per_second = 0.0
        self._since = time.monotonic()
        self._tokens = 0

    def add(self, event: Stepped) -> None:
        """Take note of an update."""
        if not event.skipped:
            old = event.loss if math.isnan(self.loss) else self.loss
            self.loss = self.MEMORY * old + (1 - self.MEMORY) * event.loss
        self._tokens += event.tokens
        passed = time.monotonic() - self._since
        if passed > 1.0 or not self.tokens_per_second:
            self.tokens_per_second = self._tokens / max(passed, 1e-3)
            self._since, self._tokens = time.monotonic(), 0

    def line(self, event: Stepped) -> str:
        """Return the state of the training in one line."""
        left = event.seconds / max(event.fraction, 1e-6) - event.seconds
        return (
            f"loss {self.loss:.3f}  {self.tokens_per_second:,.0f} tokens/s  "
            f"filling {event.filling:.0%}  {clock(left)} left"
        )


class TrainingConsole:
    """Follows the events of a training: a live bar on a terminal, plain lines elsewhere."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True, quiet=quiet)
        self._meter = Meter()
        self._progress = Progress(
            BarColumn(bar_width=24),
            TextColumn("[bold]{task.percentage:>3.0f} %[/]  {task.fields[status]}"),
            console=self.console,
            transient=True,
            disable=quiet or not self.console.is_terminal,
        )
        self._bar = self._progress.add_task("", total=1.0, status="starting")
        self._columns: list[str] = []
        self._plain_at = time.monotonic()

    def say(self, text: str) -> None:
        """Print one line for the user."""
        self.console.print(escape(text))

    def follow(self, events: Iterable[Event], run: Path) -> None:
        """Draw the events as they come, to the end; `run` is where the training is saved."""
        with self._progress:
            for event in events:
                self._draw(event, run)

    def _draw(self, event: Event, run: Path) -> None:
        match event:
            case Started():
                if event.step:
                    self.say(f"going on from step {event.step:,}")
            case Stepped():
                self._step(event)
            case Evaluated():
                self._row(event)
            case Finished():
                self.say(f"{event.step:,} updates in {clock(event.seconds)}: {event.reason}")
            case Measured():
                self.say(f"best, step {event.step:,}: {figures(event.metrics)}")
        if isinstance(event, Finished):
            self.say(f"saved in {run}")

    def _step(self, event: Stepped) -> None:
        self._meter.add(event)
        if event.skipped:
            self.console.print(f"[yellow]step {event.step:,}: the loss is not finite; update skipped[/]")
        self._progress.update(self._bar, completed=event.fraction, status=self._meter.line(event))
        silent = self.console.is_terminal or time.monotonic() - self._plain_at < PLAIN_INTERVAL
        if not silent:
            self._plain_at = time.monotonic()
            self.say(f"{event.fraction:4.0%}  step {event.step:,}  {self._meter.line(event)}")

    def _row(self, event: Evaluated) -> None:
        """Print an evaluation as a row of a table, the head first."""
        measured = {name: value for name, value in event.metrics.items() if name not in HIDDEN}
        if not self._columns:
            self._columns = list(measured)
            names = ["step", "epoch", "time", "train", *self._columns]
            self.console.print("[dim]" + "  ".join(f"{head(name):>9}" for name in names) + "[/]")
        cells = [f"{event.step:,}", f"{event.epoch:.2f}", clock(event.seconds), f"{event.train_loss:.4f}"]
        cells += [shown(name, measured[name]) for name in self._columns]
        row = "  ".join(f"{cell:>9}" for cell in cells)
        self.console.print(f"{row}  [green]best[/]" if event.best else row)


def clock(seconds: float) -> str:
    """Write a duration as `1:02:03`, `2:03` or `0:03`."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def figures(metrics: Mapping[str, Any]) -> str:
    """Write the figures of an evaluation in one line."""
    return ", ".join(
        f"{head(name)} {shown(name, value)}" for name, value in metrics.items() if name != "task"
    )
