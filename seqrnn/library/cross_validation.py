"""Training once without each part of the data, to learn how well a model of these settings does."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeGuard

from seqrnn.config import changed
from seqrnn.config_file import Layer, from_defaults, resolve
from seqrnn.errors import DataError, UsageError
from seqrnn.library.decoding import BEAM_SIZE
from seqrnn.library.given_settings import ConfigSource
from seqrnn.library.plan import Plan, plan_training
from seqrnn.library.prepared import is_prepared
from seqrnn.metrics.evaluation import Figures

if TYPE_CHECKING:
    from seqrnn.config import Config
    from seqrnn.data.dataset.prepare import PreparedData
    from seqrnn.library.training import Callback, Data
    from seqrnn.training.evaluation import EvaluationOptions
    from seqrnn.training.fold import FoldTraining

HELD_OUT = ("data.valid", "data.valid_source", "data.valid_fraction")
"""Keys that say what is validated on, which folds do."""

NOT_AVERAGED = frozenset({"task", "examples", "tokens", "unknown_labels", "unknown_tokens"})
"""Figures that say what was measured, not how good it is."""


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """What was measured on each fold, with the mean and the standard deviation of each figure.

    The standard deviation is that of a sample; both are None where fewer than two folds have the figure.
    """

    each: tuple[Figures, ...]
    mean: dict[str, float | None]
    standard_deviation: dict[str, float | None]

    @classmethod
    def of(cls, each: Sequence[Figures]) -> CrossValidation:
        """Average the figures of all folds."""
        return cls(tuple(each), _averaged(each, statistics.fmean), _averaged(each, statistics.stdev))

    @property
    def as_json(self) -> dict[str, Any]:
        """What `folds.json` holds."""
        return {
            "folds": len(self.each),
            "mean": self.mean,
            "standard_deviation": self.standard_deviation,
            "each": list(self.each),
        }


def cross_validate(
    data: Data | Iterable[Data] | None,
    *,
    folds: int = 5,
    config: ConfigSource | Iterable[ConfigSource] = (),
    callback: Callback | None = None,
    **settings: Any,
) -> CrossValidation:
    """Train once without each of `folds` parts of the examples, and measure the model on that part.

    Arguments are those of `seqrnn.train`, but for the run: no model is kept. A `budget` is shared by all
    trainings. Raises UsageError for settings that hold out examples themselves and for data that are one
    text, and DataError for fewer examples than folds.
    """
    from seqrnn.library.installed import require_training
    from seqrnn.library.training import layers_of

    require_training("`cross_validate()`")
    from seqrnn.training.isolation import settings_restored

    with settings_restored():
        if folds < 2:
            raise UsageError(f"folds {folds}: out of range; give 2 or more")
        layers = layers_of(data, config, settings)
        plan = divided(plan_training([*layers, without_validation(layers)]), folds)
        each = []
        for training in fold_trainings(plan, folds):
            for event in training.events(fold_options()):
                if callback is not None:
                    callback(event)
            each.append(training.figures)
        return CrossValidation.of(each)


def without_validation(layers: Sequence[Layer]) -> Layer:
    """Return the setting that trains on all examples. Raises UsageError where the user's hold some out."""
    if is_prepared(data := resolve(layers).data):
        what = "`folds` divides the rows of files, and prepared data are divided already"
        raise UsageError(f"{what}; give the files that {data.train[0]} was made from")
    for layer in layers:
        for key in HELD_OUT:
            if key in layer:
                origin = layer[key].origin
                raise UsageError(f"{origin}: `folds` holds out each part of the data in turn; leave it out")
    return from_defaults({"data.valid_fraction": 0.0})


def divided(plan: Plan, trainings: int) -> Plan:
    """Return the plan of each training: the time budget is that of so many `trainings` together.

    Raises UsageError for data that cannot be divided.
    """
    from seqrnn.data.formats.registry import format_named
    from seqrnn.training.duration import budget_of, parse_budget

    data, budget = plan.config.data, plan.config.training.budget
    if format_named(data.format).is_one_text:
        raise UsageError(
            "`folds` divides examples, but this is one text, whose parts continue one another; leave it "
            "out (its last part is held out), or use `data.format=lines` if each line is an example"
        )
    if budget is None:
        return plan
    share = budget_of(parse_budget(budget) / trainings)

    def shared(config: Config) -> Config:
        return changed(config, {"training.budget": share})

    return replace(plan, config=shared(plan.config), readable=shared(plan.readable))


def check_enough(folds: int, prepared: PreparedData) -> None:
    """Raise DataError where there are more folds than examples."""
    if len(prepared.train) < folds:
        found = len(prepared.train)
        raise DataError(f"`folds` {folds}: there are only {found} examples; use at most {found}")


def fold_trainings(plan: Plan, folds: int) -> Iterator[FoldTraining]:
    """Yield the training without each fold, ready to begin. Raises DataError where a fold is empty."""
    from seqrnn.data.dataset.prepare import prepare
    from seqrnn.data.dataset.split import Fold
    from seqrnn.library.length_choices import fitted_to_budget, fitted_to_passes
    from seqrnn.library.training import Begun
    from seqrnn.training.fold import FoldTraining

    for number in range(folds):
        task, training = plan.task(), plan.readable.training
        fold = Fold(number, folds)
        prepared = prepare(plan.readable.data, task.fields, training.seed, training.threads, fold=fold)
        if prepared.valid is None:
            raise DataError(f"`folds` {folds}: a fold has no example; use fewer")
        begun = fitted_to_passes(Begun(plan, task, prepared, None, None, resume=False))
        begun = fitted_to_budget(begun, None)
        yield FoldTraining(begun.plan.config, begun.task, prepared)


def fold_options() -> EvaluationOptions:
    """Return how a fold is measured: as `evaluate` measures."""
    from seqrnn.search.beam import Beam
    from seqrnn.training.evaluation import EvaluationOptions

    return EvaluationOptions(beam=Beam(BEAM_SIZE))


def _averaged(
    each: Sequence[Figures], average: Callable[[Sequence[float]], float]
) -> dict[str, float | None]:
    """Average each figure over the folds in which it is a finite number."""
    averaged: dict[str, float | None] = {}
    for name in each[0]:
        if name not in NOT_AVERAGED:
            values = [figure for figure in (fold.get(name) for fold in each) if _is_finite(figure)]
            averaged[name] = average(values) if len(values) > 1 else None
    return averaged


def _is_finite(figure: object) -> TypeGuard[float]:
    return isinstance(figure, int | float) and math.isfinite(figure)
