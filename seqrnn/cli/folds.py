"""`train --folds K`: how well a model of these settings does, before one is trained on all examples."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seqrnn.cli.evaluation_table import HIDDEN, figures
from seqrnn.cli.tables import head, shown, table
from seqrnn.errors import DataError, UsageError
from seqrnn.library.decoding import BEAM_SIZE

if TYPE_CHECKING:
    from seqrnn.cli.console import TrainingConsole
    from seqrnn.config import Config
    from seqrnn.config_file import Layer
    from seqrnn.data.dataset.prepare import PreparedData
    from seqrnn.library.plan import Plan

HELD_OUT = ("data.valid", "data.valid_source", "data.valid_fraction")
"""Keys that say what is validated on, which folds do."""


def without_validation(layers: Sequence[Layer]) -> Layer:
    """Return the setting that trains on all examples. Raises UsageError where the user's hold some out."""
    from seqrnn.config_file import from_defaults

    for layer in layers:
        for key in HELD_OUT:
            if key in layer:
                origin = layer[key].origin
                raise UsageError(f"{origin}: --folds holds out each part of the data in turn; leave it out")
    return from_defaults({"data.valid_fraction": 0.0})


def divided(plan: Plan, folds: int) -> Plan:
    """Return the plan of each training: the time budget is that of all folds and of the last training.

    Raises UsageError for data that cannot be divided.
    """
    from seqrnn.data.formats.registry import format_named
    from seqrnn.training.duration import budget_of, parse_budget

    data, budget = plan.config.data, plan.config.training.budget
    if format_named(data.format).is_one_text:
        raise UsageError(
            "--folds divides examples, but this is one text, whose parts continue one another; leave it "
            "out (its last part is held out), or use --format lines if each line is an example"
        )
    if budget is None:
        return plan
    share = budget_of(parse_budget(budget) / (folds + 1))

    def shared(config: Config) -> Config:
        training = config.training.model_copy(update={"budget": share})
        return config.model_copy(update={"training": training})

    return replace(plan, config=shared(plan.config), readable=shared(plan.readable))


def check_enough(folds: int, prepared: PreparedData) -> None:
    """Raise DataError where there are more folds than examples."""
    if len(prepared.train) < folds:
        found = len(prepared.train)
        raise DataError(f"--folds {folds}: there are only {found} examples; use at most {found}")


def cross_validate(plan: Plan, folds: int, console: TrainingConsole) -> dict[str, Any]:
    """Train once without each fold, measure on it, and print and return the figures.

    A signal ends the command, of which nothing is kept.
    """
    each: list[dict[str, Any]] = []
    for number in range(folds):
        each.append(_measured(plan, (number, folds), console))
        console.say(f"fold {number + 1} of {folds}: {figures(each[-1])}")
    mean, spread = _summary(each, statistics.fmean), _summary(each, statistics.stdev)
    rows = [
        {"figure": head(name), "mean": shown(name, mean[name]), "deviation": _spread(name, spread[name])}
        for name in mean
    ]
    for line in table(rows).splitlines():
        console.say(line)
    return {"folds": folds, "mean": mean, "standard_deviation": spread, "each": each}


def _measured(plan: Plan, fold: tuple[int, int], console: TrainingConsole) -> dict[str, Any]:
    from seqrnn.cli.signals import stopping
    from seqrnn.data.dataset.prepare import prepare
    from seqrnn.data.dataset.split import Fold
    from seqrnn.search.beam import Beam
    from seqrnn.training.evaluation import EvaluationOptions
    from seqrnn.training.events import Stepped
    from seqrnn.training.fold import FoldTraining

    task, training = plan.task(), plan.readable.training
    prepared = prepare(plan.readable.data, task.fields, training.seed, training.threads, fold=Fold(*fold))
    if prepared.valid is None:
        raise DataError(f"--folds {fold[1]}: a fold has no example; use fewer")
    trained = FoldTraining(plan.config, task, prepared)
    with stopping(trained.stop):
        events = trained.events(EvaluationOptions(beam=Beam(BEAM_SIZE)))
        console.follow(event for event in events if isinstance(event, Stepped))
        if trained.stopped:
            console.say(f"stopped in fold {fold[0] + 1} of {fold[1]}; nothing is kept, begin again")
    return trained.figures


def _summary(each: Sequence[Mapping[str, Any]], of: Any) -> dict[str, float | None]:
    """Return the mean or the spread of each figure over the folds that have it; None where too few have."""
    summary: dict[str, float | None] = {}
    for name in (name for name in each[0] if name not in HIDDEN or name == "micro_f1"):
        values = [fold[name] for fold in each if fold.get(name) is not None and math.isfinite(fold[name])]
        summary[name] = of(values) if len(values) > 1 else None
    return summary


def _spread(name: str, value: float | None) -> str:
    return "-" if value is None else f"± {shown(name, value)}"
