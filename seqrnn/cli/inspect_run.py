"""What `seqrnn inspect RUN` shows: a run directory, without its data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqrnn.cli.tables import pairs
from seqrnn.config_file import load_run_config

if TYPE_CHECKING:
    from seqrnn.answering.opened_run import OpenedRun


def inspect_run(path: Path, output: str | None, config: bool, as_json: bool) -> None:
    """Show what a run directory holds, or, with `config`, its settings."""
    from seqrnn.answering.opened_run import open_run
    from seqrnn.cli.stdio import Output, say
    from seqrnn.run.directory import RunDirectory
    from seqrnn.run.manifest import CONFIG

    directory = RunDirectory.open(path)
    settings = directory.read_text(CONFIG)
    if config:
        load_run_config(settings, str(path / CONFIG))
        with Output(output) as out:
            out.write_text(settings)
        say(*directory.warnings)
        return
    opened = open_run(path)
    facts = _facts(opened)
    with Output(output) as out:
        out.write_json([facts]) if as_json else out.write_text(_report(facts))
    say(*opened.warnings)


def _facts(run: OpenedRun) -> dict[str, Any]:
    """Gather what the best weights are, and what they have learned from; None where something is not.

    Raises ModelError where they are not those of the configuration.
    """
    from seqrnn.data.fields.source_kind import kind_named
    from seqrnn.export.parameters import read_parameters
    from seqrnn.tasks.task import WritingTask

    best, config, task = run.generation, run.config, run.task
    metric, kind = best.metric, config.data.source_kind
    recurs = task.model != "feed-forward"
    both_ways = recurs and kind_named(kind).sequential and "model.bidirectional" in task.settings
    return {
        "task": config.task,
        "shape": task.shape(),
        "source": kind,
        "trained_on": [*config.data.train, *filter(None, (config.data.source, config.data.target))],
        "tokenizer": config.data.tokenizer if kind_named(kind).has_tokenizer else None,
        "target_tokenizer": config.data.target_tokenizer if isinstance(task, WritingTask) else None,
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
    }


def _report(facts: Mapping[str, Any]) -> str:
    """Write the facts for a person: a metric under its own name."""
    told = {
        key: value for key, value in facts.items() if key not in {"metric", "value"} and value is not None
    }
    told["trained_on"] = ", ".join(facts["trained_on"])
    if facts["bidirectional"] is not None:
        told["bidirectional"] = "yes" if facts["bidirectional"] else "no"
    if facts["metric"] is not None:
        told[facts["metric"]] = facts["value"]
    return pairs(told)
