"""What `seqrnn inspect RUN` shows: a run directory, without its data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqrnn.cli.drawing import Paper
from seqrnn.cli.run_report import RunReport
from seqrnn.config_file import load_run_config

FIRST = (
    *("task", "shape", "source", "trained_on", "tokenizer", "target_tokenizer", "cell", "bidirectional"),
    *("layers", "hidden_size", "parameters", "weights", "step", "written", "seqrnn"),
)
"""Facts that a report begins with."""


def inspect_run(path: Path, output: str | None, config: bool, as_json: bool) -> None:
    """Show what a run directory holds, or, with `config`, its settings."""
    from seqrnn.answering.opened_run import opened
    from seqrnn.cli.stdio import OutputStream, say
    from seqrnn.library.run_facts import facts_of
    from seqrnn.run.directory import RunDirectory
    from seqrnn.run.manifest import CONFIG

    directory = RunDirectory.open(path)
    best = directory.best()
    if config:
        settings = directory.read_text(CONFIG)
        load_run_config(settings, str(path / CONFIG))
        with OutputStream(output) as out:
            out.write_text(settings)
        say(*directory.warnings)
        return
    run = opened(directory, best)
    facts, warnings = facts_of(directory, run)
    with OutputStream(output) as out:
        if as_json:
            out.write_json([facts])
        else:
            report = RunReport(Paper.of_stdout())
            out.write_text(report.of(facts, _told(facts), run.task.diagram()))
    say(*warnings)


def _told(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that are shown first, a metric under its own name."""
    told = {key: facts[key] for key in FIRST if facts[key] is not None}
    told["trained_on"] = ", ".join(facts["trained_on"])
    if facts["bidirectional"] is not None:
        told["bidirectional"] = "yes" if facts["bidirectional"] else "no"
    if facts["metric"] is not None:
        told[facts["metric"]] = facts["value"]
    return told
