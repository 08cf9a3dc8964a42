"""What `seqrnn inspect DATA` shows, and in which order."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqrnn.cli.data_report import DataReport
from seqrnn.cli.spelling import all_in_flags, in_flags
from seqrnn.errors import DataError, UsageError
from seqrnn.library.installed import require_training

if TYPE_CHECKING:
    from seqrnn.config_file import Layer
    from seqrnn.data.record import Record
    from seqrnn.inspection.findings import Findings
    from seqrnn.library.plan import Plan
    from seqrnn.training.probe import Estimate

PROBE_ROOM = 2 << 20  # characters of the examples that a probe trains on
PROBE_VALID = 200  # examples that it is evaluated on


def inspect_data(layers: list[Layer], output: str | None, as_json: bool, probe: bool, quiet: bool) -> None:
    """Look at data as a training with these settings would read them, and report."""
    from seqrnn.cli.console import TrainingConsole
    from seqrnn.cli.drawing import Paper
    from seqrnn.cli.question import settled_plan
    from seqrnn.cli.stdio import OutputStream
    from seqrnn.inspection.findings import find
    from seqrnn.library.plan import task_of

    plan = settled_plan(layers)
    decided = _decided(plan)
    console = TrainingConsole(quiet)
    with console.preparing("reading the data") as draw:
        findings = find(plan.readable, task_of, draw)
    report = DataReport(Paper.of_stdout())
    with OutputStream(output) as out:
        told = {**decided, **findings.to_dict()}
        if not as_json:
            out.write_text(in_flags(report.of_findings(told)))
        with console.preparing("training for some seconds"):
            estimated, reason = _estimate(plan, findings) if probe else (None, "")
        training = asdict(estimated) if estimated else None
        if as_json:
            out.write_json([all_in_flags({**told, "training": training})])
        else:
            out.write_text(in_flags(report.of_training(training, reason, findings.stops)))


def _decided(plan: Plan) -> dict[str, Any]:
    """Return what `train` would say of its decisions, and the settings that they are."""
    return {
        "task": plan.readable.task,
        "format": plan.readable.data.format,
        "source_kind": plan.readable.data.source_kind,
        "decisions": plan.decisions(),
        "settings": {key: value for key, value in plan.inference.settings.items() if value not in (None, ())},
    }


def _estimate(plan: Plan, findings: Findings) -> tuple[Estimate | None, str]:
    """Train for some seconds; return what a training would take, or why that cannot be told."""
    task = findings.measured.task
    if task is None or findings.stops:
        return None, ""
    try:
        require_training("what a training would take")
    except UsageError as error:
        return None, str(error)
    from seqrnn.data.dataset.preparation_report import PreparationReport
    from seqrnn.data.dataset.prepare import PreparedData
    from seqrnn.inspection.measuring import columns
    from seqrnn.library.length_choices import fitted_to_budget
    from seqrnn.library.training import Begun
    from seqrnn.training.probe import estimate, probe  # torch: what is wrong with the data is told before

    train = _some(findings.train.train, task.stream)
    valid = findings.valid.valid[:: max(len(findings.valid.valid) // PROBE_VALID, 1)]
    encode = partial(columns, task, config=plan.readable)
    with tempfile.TemporaryDirectory(prefix="seqrnn-") as directory:
        try:
            parts = [
                encode(rows=rows, directory=Path(directory, name))
                for rows, name in ((train, "t"), (valid, "v"))
            ]
        except DataError as error:
            return None, str(error)
        if parts[0] is None:
            return None, "no example is left to train on"
        prepared = PreparedData(parts[0], parts[1], PreparationReport(), task.fields, {})
        begun = Begun(plan, task, prepared, None, None, resume=False)
        begun = fitted_to_budget(begun, None)  # of the size that a training would choose
        found = probe(begun.plan.config, begun.task, prepared)
    survey = findings.survey
    of_train = survey.examples * survey.one_in[0] / len(train)
    growth = of_train, survey.held_out * survey.one_in[-1] / max(len(valid), 1)
    return estimate(begun.plan.config, found, growth), ""


def _some(rows: list[Record], stream: bool) -> list[Record]:
    """Return about `PROBE_ROOM` of the rows: those of one text as they follow one another."""
    share = sum(row.size for row in rows) / PROBE_ROOM
    if share <= 1:
        return rows
    return rows[: max(int(len(rows) / share), 1)] if stream else rows[:: int(share) + 1]
