"""What a run directory says of itself, without its data: what was learnt, from what, and how it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seqrnn.answering.opened_run import OpenedRun
from seqrnn.backends.onnx.parameters import read_parameters
from seqrnn.config import KEYS, Config, value_of
from seqrnn.config_file import load_run_config
from seqrnn.data.fields.field import TextField
from seqrnn.data.fields.names import names_fields
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.errors import ModelError
from seqrnn.library.plan import settings_for
from seqrnn.run.manifest import CONFIG
from seqrnn.tasks.task import Task

if TYPE_CHECKING:
    from seqrnn.run.directory import RunDirectory

MOST_NAMES = 1000  # labels that are listed
MOST_EVALUATIONS = 10_000
TOLD = frozenset(
    {
        "task",
        *(f"data.{name}" for name in ("train", "valid", "source", "target", "valid_source", "valid_target")),
        *(f"data.{name}" for name in ("format", "text_column", "label_column", "series_column")),
        *(f"data.{name}" for name in ("time_column", "feature_columns", "source_kind")),
    }
)
"""Settings that are told elsewhere in it."""


def facts_of(run: OpenedRun) -> tuple[dict[str, Any], list[str]]:
    """Gather what the best weights of a run are, in values that JSON can hold; and warnings for the user.

    A value is None where there is nothing to say; `settings` are those that are not the task's defaults, and
    `history` the lines of the training's evaluations. Raises ModelError where the directory is damaged.
    """
    directory = run.directory
    written = load_run_config(directory.read_text(CONFIG), str(directory.path / CONFIG))
    warnings = [*run.warnings]
    facts = _facts(run)
    facts |= {"settings": _changed(written, run.task), "history": _history(directory, warnings)}
    return facts, warnings


def _history(run: RunDirectory, warnings: list[str]) -> list[dict[str, Any]]:
    """Return the lines of the training's history; where it is damaged, a warning says so."""
    try:
        return run.metrics.read()[-MOST_EVALUATIONS:]
    except ModelError as error:
        warnings.append(str(error))
        return []


def _facts(run: OpenedRun) -> dict[str, Any]:
    """Gather what the best weights are, and what they have learned from; None where something is not.

    Raises ModelError where they are not those of the configuration.
    """
    best, config, task = run.checkpoint, run.config, run.task
    metric, kind = best.metric, config.data.source_kind
    recurs = task.model != "feed-forward"
    both_ways = recurs and kind_named(kind).sequential and "model.bidirectional" in task.settings
    return {
        "task": config.task,
        "shape": task.shape(),
        "source": kind,
        "trained_on": [*config.data.train, *filter(None, (config.data.source, config.data.target))],
        "tokenizer": config.data.tokenizer if kind_named(kind).has_tokenizer else None,
        "target_tokenizer": config.data.target_tokenizer if task.searches else None,
        "cell": config.model.cell if recurs else None,
        "bidirectional": config.model.bidirectional if both_ways else None,
        "layers": config.model.num_layers,
        "hidden_size": config.model.hidden_size,
        "parameters": sum(int(array.size) for array in read_parameters(run).values()),
        "weights": best.manifest.weights,
        "step": best.step,
        "metric": metric.name if metric else None,
        "value": metric.value if metric else None,
        "written": best.manifest.created,
        "seqrnn": best.manifest.seqrnn,
        **_data(run),
    }


def _data(run: OpenedRun) -> dict[str, Any]:
    """Gather how the data were read, and what the fields have learned."""
    data, fields = run.config.data, run.task.fields
    names = [name for field in names_fields(fields) for name in field.known]
    texts = [field for field in fields if isinstance(field, TextField)]
    columns = {"read": data.text_column, "answer": data.label_column, "series": data.series_column}
    columns |= {"time": data.time_column, "features": ", ".join(data.feature_columns)}
    return {
        "format": data.format,
        "validated_on": [*data.valid, *filter(None, (data.valid_source, data.valid_target))],
        "valid_fraction": data.valid_fraction,
        "columns": {name: column for name, column in columns.items() if column},
        "vocabularies": {field.name: len(field.tokenizer) for field in texts},
        "label_count": len(names),
        "labels": names[:MOST_NAMES],
    }


def _changed(config: Config, task: Task) -> dict[str, Any]:
    """Return the settings that are not the defaults of the task, but for what says where the data are."""
    preferred = task.defaults_for(config.data.source_kind)
    changed = {
        key: value_of(config, key)
        for key in settings_for(config)
        if key not in TOLD and value_of(config, key) != preferred.get(key, KEYS[key].default)
    }
    return {key: list(value) if isinstance(value, tuple) else value for key, value in changed.items()}


def points(lines: Sequence[Mapping[str, Any]], name: str) -> list[tuple[float, float]]:
    """Return step and value of each line that has a finite number of the name."""
    return [
        (float(line["step"]), float(value))
        for line in lines
        if isinstance(value := line.get(name), int | float) and not isinstance(value, bool)
    ]
