"""What a person sees of a search: a bar and a line for each trial on standard error, a table at the end."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from seqrnn.cli.console import REFRESHES, TrainingConsole
from seqrnn.data.lines import in_one_cell, printable
from seqrnn.data.wording import counted
from seqrnn.library.figures import clock, head, shown
from seqrnn.library.tuning import Trial, TrialEnded, TrialEvent, Tuning
from seqrnn.training.events import Stepped

if TYPE_CHECKING:
    from seqrnn.library.search_space import Space

NARROW = 100  # columns of a terminal from which each setting has a column of its own
MAX_TRIALS = 50  # rows of the table


class TuningConsole(TrainingConsole):
    """Follows the trials of a search."""

    stdout_width: int

    def __init__(self, quiet: bool = False) -> None:
        super().__init__(quiet)
        self.stdout_width = shutil.get_terminal_size((80, 24)).columns
        self._started, self._budget = time.monotonic(), 1.0

    def begin(self, tuning: Tuning, space: Space, budget: float, started: float) -> None:
        """Say what is searched."""
        self._started, self._budget = started, budget
        self.say(f"searching {counted(len(tuning.trials), 'choice')} of settings in {clock(budget)}:")
        for key, values in space.items():
            self.say(f"  {_short(key)}: {', '.join(map(str, values))}")

    def follow(self, events: Iterable[Any]) -> None:
        """Draw how far the search is, and print a line for each trial that has had its time."""
        bar = Progress(
            BarColumn(bar_width=self._bar_width),
            TextColumn("[bold]{task.percentage:>3.0f}%[/]  {task.fields[status]}"),
            console=self.console,
            transient=True,
            refresh_per_second=REFRESHES,
        )
        with bar if self._live else nullcontext():
            task = bar.add_task("", total=1.0, status="")
            for event in events:
                if isinstance(event, TrialEnded):
                    self.say(_ended(event))
                elif isinstance(event, TrialEvent) and isinstance(event.event, Stepped):
                    passed = time.monotonic() - self._started
                    left = clock(max(self._budget - passed, 0.0))
                    status = f"trial {event.trial.number}  step {event.event.step:,}  {left} left"
                    bar.update(task, completed=min(passed / self._budget, 1.0), status=status)


def report(trials: Sequence[Trial], width: int) -> str:
    """Return a table of the trials, the best first, in at most so many columns."""
    keys = list(trials[0].settings)
    apart = width >= NARROW
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    metric = next((trial.metric.name for trial in trials if trial.metric is not None), "loss")
    for name in ("trial", head(metric), "time"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in map(_short, keys) if apart else ("settings",):
        table.add_column(name, justify="right" if apart else "left", overflow="fold")
    for trial in trials[:MAX_TRIALS]:
        settings = [str(trial.settings[key]) for key in keys]
        cells = settings if apart else [_settings(trial.settings)]
        table.add_row(str(trial.number), _figure(trial), clock(trial.seconds), *map(_plain, cells))
    written = io.StringIO()
    console = Console(
        file=written, width=width, highlight=False, markup=False, emoji=False, color_system=None
    )
    console.print(table)
    if len(trials) > MAX_TRIALS:
        console.print(f"and {len(trials) - MAX_TRIALS:,} more (--json has all)")
    return "".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines())


def _ended(event: TrialEnded) -> str:
    trial = event.trial
    found = f"{head(trial.metric.name)} {_figure(trial)}" if trial.metric else "not measured"
    said = f"failed: {trial.failure}" if trial.failure else f"{found} after {clock(trial.seconds)}"
    return f"rung {event.rung} of {event.rungs}, trial {trial.number}: {said}  ({_settings(trial.settings)})"


def _figure(trial: Trial) -> str:
    if trial.metric is None:
        return "-" if trial.failure is None else "failed"
    return shown(trial.metric.name, trial.metric.value)


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{_short(key)} {value}" for key, value in settings.items())


def _short(key: str) -> str:
    return key.rpartition(".")[2].replace("_", " ")


def _plain(text: str) -> str:
    return printable(in_one_cell(text))
