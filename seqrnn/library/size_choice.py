"""The size of a network where nobody has named one: what this machine can train best in the time it has."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seqrnn.config import Config, changed, value_of
from seqrnn.data.dataset.batching import BatchOrder

if TYPE_CHECKING:
    from seqrnn.library.training import Begun
    from seqrnn.tasks.size_preset import SizePreset

SIZES = frozenset({"model.hidden_size", "model.num_layers", "training.batch_size", "training.segment_length"})
"""Settings of which one that is given leaves the size of a network as it is."""

FEW_PASSES, MANY_PASSES = 8.0, 24.0
"""Up to how many passes over the data a large network needs no more regularization, and where it needs all.

Measured: LSTM 1024 on a million characters is best with a dropout of 0.15 in 8 passes, and of 0.6 in 24.
"""


def sized(begun: Begun, began: float | None, say: Callable[[str], None]) -> Begun:
    """Choose among the networks that a task offers, by a few updates of each, and `say` which.

    The smaller ones are tried first, until a larger one would have learnt less by the end of the time budget,
    which counts from `began`, by `time.monotonic()`. A training with another kind of limit, one that goes on
    from other weights, and one whose sizes the user has named stay as they are.
    """
    from seqrnn.backends.torch.device import choose_device
    from seqrnn.training.duration import Duration
    from seqrnn.training.probe import seconds_of_update

    plan, presets = begun.plan, begun.task.size_presets
    limits = Duration.of(plan.config.training)
    if not presets or limits.seconds is None or begun.parent is not None or plan.given & SIZES:
        return begun
    on_gpu = choose_device(plan.config.training.device).type == "cuda"
    end = limits.seconds + (time.monotonic() if began is None else began)
    best: tuple[float, SizePreset, float] | None = None
    for preset in (preset for preset in presets if on_gpu or not preset.needs_gpu):
        config = _with(plan.config, preset.settings, plan.given)
        took = seconds_of_update(config, begun.task.with_config(config), begun.prepared)
        updates = min(max(end - time.monotonic(), 0.0) / took, limits.steps or math.inf)
        loss = preset.loss_after(updates)
        if best is not None and loss > best[0]:
            break
        best = loss, preset, updates
    assert best is not None
    return _chosen(begun, best[1], best[2], say)


def _chosen(begun: Begun, preset: SizePreset, updates: float, say: Callable[[str], None]) -> Begun:
    """Return a training of that size, with the regularization that so many updates ask for."""
    plan = begun.plan
    config = _with(plan.config, preset.settings, plan.given)
    order = BatchOrder(streams=config.training.batch_size)
    batches = begun.task.with_config(config).batch_count(begun.prepared.train, order)
    passes = updates * config.training.accumulate / max(batches, 1)
    settings = {**preset.settings, **_regularization(config, preset, passes)}
    config, readable = (_with(each, settings, plan.given) for each in (plan.config, plan.readable))
    size = f"{config.model.num_layers} x {config.model.hidden_size} units"
    say(f"size: {size}, for about {updates:,.0f} updates ({passes:,.1f} passes) in the time left")
    plan = replace(plan, config=config, readable=readable)
    return replace(begun, plan=plan, task=begun.task.with_config(readable))


def _regularization(config: Config, preset: SizePreset, passes: float) -> Mapping[str, float]:
    """Return settings between those that a network has anyway and those of many passes."""
    share = math.log(max(passes, 1.0) / FEW_PASSES) / math.log(MANY_PASSES / FEW_PASSES)
    share = min(max(share, 0.0), 1.0)
    return {
        key: round(value_of(config, key) * (1.0 - share) + share * most, 3)
        for key, most in preset.regularization.items()
    }


def _with(config: Config, settings: Mapping[str, Any], given: frozenset[str]) -> Config:
    """Lay settings over a configuration, but none that the user has given."""
    return changed(config, {key: value for key, value in settings.items() if key not in given})
