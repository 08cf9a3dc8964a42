"""The settings of a training as a commented YAML file, to be read, changed and trained with."""

from __future__ import annotations

from collections.abc import Iterable

from seqrnn.config import KEYS, Config, value_of
from seqrnn.config_file import dump_chosen
from seqrnn.library.plan import Plan, settings_for

NOT_CHOSEN = "A line that begins with # and a name is a setting with the value that it has without the line."


def settings_file(plan: Plan, named: Iterable[str], title: str, config: Config | None = None) -> str:
    """Return what a plan has decided, every decision and every changed default, and the rest as comments.

    `named` are the keys that the user has named, which are there whatever their values. The values are
    those of `config` if it is given, else the plan's.
    """
    config = config or plan.config
    preferred = plan.task().defaults_for(plan.inference.source_kind)
    shown = settings_for(config)
    chosen = {
        *(key for key in shown if value_of(config, key) != KEYS[key].default),
        *("task", *preferred, *named),
    }
    head = [title, *plan.decisions(), NOT_CHOSEN]
    return dump_chosen(config, chosen, [key for key in KEYS if key in chosen or key in shown], head)
