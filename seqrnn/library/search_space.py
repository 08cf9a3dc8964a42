"""Which settings a search tries: values by key, and draws from all their combinations."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from seqrnn.config import KEYS, Config, value_of
from seqrnn.config_check import unknown_key
from seqrnn.config_file import Setting, assigned, check_known, from_defaults, resolve
from seqrnn.errors import ConfigError, UsageError
from seqrnn.library.given_settings import BY_NAME
from seqrnn.library.plan import LIMITS, settings_for, task_of

FIXED: Final = LIMITS | {
    *("training.seed", "training.device", "training.threads", "training.bleu_tokenizer"),
    *("model.embeddings", "model.freeze_embeddings"),
}
"""Settings that say how long, where and from what is trained, which the trials of a search share."""

FACTORS: Final[Mapping[str, Sequence[float]]] = {
    "training.learning_rate": (0.25, 0.5, 1, 2, 4),
    "model.hidden_size": (0.5, 1, 2),
    "training.batch_size": (0.5, 1, 2),
}
"""By what the value that would be trained with is multiplied."""

VALUES: Final[Mapping[str, Sequence[Any]]] = {
    "model.num_layers": (1, 2, 3),
    "model.dropout": (0.0, 0.2, 0.4),
    "model.cell": ("lstm", "gru"),
}

Space = Mapping[str, Sequence[Any]]
"""Values by dotted key, those of the training without a search first."""


def default_space(config: Config, given: Collection[str]) -> Space:
    """Return what is searched where nobody says: the settings that matter most, around their values.

    Those that the user has `given` stay as they are, and those that say nothing to the task are left out.
    """
    recurs = task_of(config).model != "feed-forward"
    idle = {*given} if recurs else {*given, "model.cell"}
    open_keys = [key for key in settings_for(config) if key not in idle]
    space: dict[str, Sequence[Any]] = {}
    for key in (*FACTORS, *VALUES):
        if key in open_keys:
            own = value_of(config, key)
            tried = [_scaled(own, factor) for factor in FACTORS[key]] if key in FACTORS else VALUES[key]
            space[key] = _with_first(own, tried)
    return space


def asked_space(config: Config, searches: Iterable[str]) -> Space:
    """Read `key=v1,v2,...` for each setting to search. Raises ConfigError or UsageError for what is none."""
    space: dict[str, Sequence[Any]] = {}
    for search in searches:
        origin = f"`search={search}`"
        name, equals, text = search.partition("=")
        if not equals or not all(part.strip() for part in text.split(",")):
            raise ConfigError(f"{origin}: no values; write key=value,value,... such as hidden_size=64,128")
        key = BY_NAME.get(name, name)
        if key not in KEYS and "." not in key:
            raise ConfigError(f"{origin}: {unknown_key(name)}")
        check_known(key, origin)
        _check_searchable(config, key, origin)
        values = [_checked(key, part.strip(), origin) for part in text.split(",")]
        own = value_of(config, key)
        space[key] = _with_first(own, values) if own in values else values
    return space


def draws(space: Space, count: int, seed: int) -> list[dict[str, Any]]:
    """Draw `count` different combinations, or all if there are fewer; the first has the first values."""
    sizes = [len(values) for values in space.values()]
    total = math.prod(sizes)
    numbers = range(1, min(total, 2**62))
    chosen = [0, *random.Random(seed).sample(numbers, min(count - 1, len(numbers)))]
    return [_combination(space, number) for number in chosen]


def _combination(space: Space, number: int) -> dict[str, Any]:
    """Return the combination of this number; 0 has the first value of each key."""
    found = {}
    for key, values in space.items():
        number, at = divmod(number, len(values))
        found[key] = values[at]
    return found


def _check_searchable(config: Config, key: str, origin: str) -> None:
    if not key.startswith(("model.", "training.")) or key in FIXED:
        raise UsageError(
            f"{origin}: all trials have the same data, seed and limits; search settings of the model or of "
            "its training"
        )
    if key not in settings_for(config):
        raise UsageError(f"{origin}: has no effect on {config.task} of these data; leave it out")


def _checked(key: str, text: str, origin: str) -> Any:
    """Return a value as the schema has it. Raises ConfigError for one that it refuses."""
    setting = Setting(assigned(key, text, origin), origin)
    return value_of(resolve([from_defaults({}), {key: setting}]), key)


def _scaled(own: Any, factor: float) -> Any:
    """Multiply a value: a whole number stays one of at least 1, others keep three digits."""
    return max(1, round(own * factor)) if isinstance(own, int) else float(f"{own * factor:.3g}")


def _with_first(own: Any, values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys([own, *values]))
