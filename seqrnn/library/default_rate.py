"""The learning rate where nobody has given one: a task's default, fitted to the network and its batches."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from seqrnn.catalog import TASKS, load
from seqrnn.config import KEYS, Config, changed, value_of

WARMUP_KEYS = frozenset({"training.warmup", "training.warmup_updates"})
WARMUP_UPDATES = 40
"""In how many updates the learning rate rises at least.

Measured: 2 x LSTM 1024, 24 x 64 characters: with 6 updates the loss leaps from 3.4 to 3.7 nats after 50; with
40 it falls on.
"""
HORIZON = "training.rate_horizon"
MAX_BY_BATCH = 2.0  # times the usual learning rate, for batches of four times as many and more


def with_default_rate(
    config: Config, defaults: Mapping[str, Any], given: Collection[str]
) -> tuple[Config, str]:
    """Fit a task's default learning rate to a network and to batches that are larger than its default ones.

    It falls with the width, as the task says, and with the square root of the depth; it grows with that of
    the batch, to `MAX_BY_BATCH` times. It rises in no fewer than `WARMUP_UPDATES`, unless the user has
    `given` them. A rate that the user has given is left as it is, however short the training. Returns what to
    say of it, too.
    """
    if "training.learning_rate" in given:
        return (config if HORIZON in given else changed(config, {HORIZON: 0})), ""

    def growth(key: str) -> float:
        return float(value_of(config, key) / defaults.get(key, KEYS[key].default))

    task, model, training = load(TASKS[config.task]), config.model, config.training
    lower = growth("model.hidden_size") ** task.rate_by_width * math.sqrt(growth("model.num_layers"))
    higher = math.sqrt(growth("training.batch_size") * training.accumulate)
    usual = defaults.get("training.learning_rate", KEYS["training.learning_rate"].default)
    rate = float(f"{usual * min(max(higher, 1.0), MAX_BY_BATCH) / max(lower, 1.0):.2g}")
    slowly = {} if WARMUP_KEYS.intersection(given) else {"training.warmup_updates": WARMUP_UPDATES}
    network = f"{model.num_layers} x {model.hidden_size} units"
    batches = f"batches of {training.batch_size * training.accumulate}"
    told = f"learning rate: {rate:g} instead of {usual:g}, for {network} and {batches}"
    return changed(config, {"training.learning_rate": rate, **slowly}), told if rate != usual else ""
