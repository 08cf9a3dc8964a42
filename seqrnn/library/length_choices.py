"""What the length of a training decides where nobody has: the size of its network, and its regularization."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seqrnn.config import Config, changed, value_of
from seqrnn.data.dataset.batching import BatchOrder

if TYPE_CHECKING:
    from seqrnn.library.training import Begun
    from seqrnn.tasks.size_preset import SizePreset

Say = Callable[[str], None]

SIZES = frozenset({"model.hidden_size", "model.num_layers", "training.batch_size", "training.segment_length"})
"""Settings of which one that is given leaves the size of a network as it is."""


def unsaid(line: str) -> None:
    """Say nothing."""


def fitted_to_passes(begun: Begun, say: Say = unsaid) -> Begun:
    """Regularize a new training for the passes that it makes over its data, if it has no time budget."""
    from seqrnn.training.duration import Duration

    limits = Duration.of(begun.plan.config.training)
    if begun.parent is not None or begun.task.regularization is None or limits.seconds is not None:
        return begun
    updates = limits.updates(_updates_of_pass(begun, begun.plan.config))
    return begun if updates is None else _fitted(begun, None, updates, say)


def fitted_to_budget(begun: Begun, began: float | None, say: Say = unsaid) -> Begun:
    """Choose size and regularization of a new training by how many updates there is time for.

    The time budget counts from `began`, by `time.monotonic()`. Of the networks that a task offers the smaller
    ones are tried first, a few updates of each, until a larger one would have learnt less by the end. What
    the user has named stays as it is.
    """
    from seqrnn.training.duration import Duration

    limits = Duration.of(begun.plan.config.training)
    presets = () if begun.plan.given & SIZES else begun.task.size_presets
    if begun.parent is not None or limits.seconds is None or not (presets or begun.task.regularization):
        return begun
    end = limits.seconds + (time.monotonic() if began is None else began)
    if not presets:
        return _fitted(begun, None, _updates_until(end, begun, begun.plan.config), say)
    best: tuple[float, SizePreset, float] | None = None
    for preset in _runnable(presets, begun):
        updates = _updates_until(end, begun, _with(begun.plan.config, preset.settings, begun.plan.given))
        loss = preset.loss_after(updates)
        if best is not None and loss > best[0]:
            break
        best = loss, preset, updates
    assert best is not None
    return _fitted(begun, best[1], best[2], say)


def _runnable(presets: Sequence[SizePreset], begun: Begun) -> Iterator[SizePreset]:
    """Leave out the networks that only a GPU trains in reasonable time, where there is none."""
    from seqrnn.backends.torch.device import choose_device

    on_gpu = choose_device(begun.plan.config.training.device).type == "cuda"
    return (preset for preset in presets if on_gpu or not preset.needs_gpu)


def _updates_until(end: float, begun: Begun, config: Config) -> float:
    """Return how many updates there is time for, by a few of them."""
    from seqrnn.training.duration import Duration
    from seqrnn.training.probe import seconds_of_update

    took = seconds_of_update(config, begun.task.with_config(config), begun.prepared)
    limit = Duration.of(config.training).updates(_updates_of_pass(begun, config))
    return min(max(end - time.monotonic(), 0.0) / took, math.inf if limit is None else limit)


def _fitted(begun: Begun, chosen: SizePreset | None, updates: float, say: Say) -> Begun:
    """Return a training of the size `chosen`, if one was, regularized for so many updates; and say so."""
    plan = begun.plan
    size = chosen.settings if chosen else {}
    passes = updates / _updates_of_pass(begun, _with(plan.config, size, plan.given))
    rule = (chosen and chosen.regularization) or begun.task.regularization
    settings = {**size, **(rule.for_passes(passes) if rule else {})}
    config, readable = (_with(each, settings, plan.given) for each in (plan.config, plan.readable))
    told = []
    if chosen:
        told.append(f"{config.model.num_layers} x {config.model.hidden_size} units")
        told.append(f"batches of {config.training.batch_size}")
    for key in rule.settings if rule else ():
        if (value := value_of(config, key)) != value_of(plan.config, key):
            told.append(f"{key.rpartition('.')[2]} {value:g}")
    if told:
        say(f"length: about {updates:,.0f} updates ({passes:,.1f} passes), so {', '.join(told)}")
    plan = replace(plan, config=config, readable=readable)
    return replace(begun, plan=plan, task=begun.task.with_config(readable))


def _updates_of_pass(begun: Begun, config: Config) -> float:
    """Return how many updates a pass over the training data has."""
    training, task = config.training, begun.task.with_config(config)
    order = BatchOrder(streams=training.batch_size)
    return max(task.batch_count(begun.prepared.train, order) / training.accumulate, 1e-9)


def _with(config: Config, settings: Mapping[str, Any], given: frozenset[str]) -> Config:
    """Lay settings over a configuration, but none that the user has given."""
    return changed(config, {key: value for key, value in settings.items() if key not in given})
