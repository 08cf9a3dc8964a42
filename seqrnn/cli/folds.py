"""`train --folds K`: what is measured on each fold, as lines and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqrnn.cli.evaluation_table import figures
from seqrnn.cli.tables import table
from seqrnn.library.figures import head, shown

if TYPE_CHECKING:
    from seqrnn.cli.console import TrainingConsole
    from seqrnn.library.cross_validation import CrossValidation
    from seqrnn.library.plan import Plan


def measure_folds(plan: Plan, folds: int, console: TrainingConsole) -> CrossValidation:
    """Train once without each fold, measure on it, and print and return the figures.

    A signal ends the command, of which nothing is kept.
    """
    from seqrnn.cli.signals import stopping
    from seqrnn.library.cross_validation import CrossValidation, fold_options, fold_trainings
    from seqrnn.training.events import Stepped

    each = []
    for number, training in enumerate(fold_trainings(plan, folds), start=1):
        with stopping(training.stop):
            events = training.events(fold_options())
            console.follow(event for event in events if isinstance(event, Stepped))
            if training.stopped:
                console.say(f"stopped in fold {number} of {folds}; nothing is kept, begin again")
        each.append(training.figures)
        console.say(f"fold {number} of {folds}: {figures(each[-1])}")
    measured = CrossValidation.of(each)
    for line in _table(measured).splitlines():
        console.say(line)
    return measured


def _table(measured: CrossValidation) -> str:
    spreads = measured.standard_deviation
    return table(
        [
            {"figure": head(name), "mean": shown(name, mean), "deviation": _spread(name, spreads[name])}
            for name, mean in measured.mean.items()
        ]
    )


def _spread(name: str, value: float | None) -> str:
    return "-" if value is None else f"± {shown(name, value)}"
