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
    from seqrnn.answering.opened_run import open_run
    from seqrnn.cli.stdio import OutputStream, say
    from seqrnn.library.run_facts import facts_of
    from seqrnn.run.directory import RunDirectory
    from seqrnn.run.manifest import CONFIG

    if config:
        directory = RunDirectory.open(path)
        settings = directory.read_text(CONFIG)
        load_run_config(settings, str(path / CONFIG))
        with OutputStream(output) as out:
            out.write_text(settings)
        say(*directory.warnings)
        return
    run = open_run(path)
    facts, warnings = facts_of(run)
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
