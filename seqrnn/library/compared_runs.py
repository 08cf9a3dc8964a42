"""Runs side by side: how good they are, what they cost, and in which settings they differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqrnn.answering.opened_run import open_run
from seqrnn.config import KEYS, value_of
from seqrnn.library.run_facts import TOLD, facts_of
from seqrnn.run.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One run: its figures on the validation data, what it cost, and every setting by its key.

    `seconds` is the time of its training up to its last evaluation, None where it had none.
    """

    run: str
    task: str
    figures: Mapping[str, Any]
    parameters: int
    step: int
    seconds: float | None
    settings: Mapping[str, Any]
    rank: tuple[Any, ...]

    @classmethod
    def of(cls, path: Path) -> ComparedRun:
        """Open the run at `path`. Raises ModelError where it is damaged."""
        run = open_run(path)
        facts, _ = facts_of(run)
        lines = facts["history"]
        best = [line for line in lines if line.get("best") is True]
        timed = [line["seconds"] for line in lines if isinstance(line.get("seconds"), float)]
        figures = _figures(best[-1]) if best else {}
        if not figures and facts["metric"] is not None:
            figures = {facts["metric"]: facts["value"]}
        settings = {key: value_of(run.config, key) for key in KEYS if key not in TOLD}
        told = str(path), facts["task"], figures, facts["parameters"], facts["step"]
        return cls(*told, timed[-1] if timed else None, settings, _rank(run.checkpoint))

    @property
    def as_json(self) -> dict[str, Any]:
        """All of it but every setting, in values that JSON can hold."""
        told = {"run": self.run, "task": self.task, **self.figures}
        return {**told, "parameters": self.parameters, "step": self.step, "seconds": self.seconds}


def compare(paths: Sequence[Path]) -> list[ComparedRun]:
    """Return runs by task, the best of each first; those that were not measured come last.

    Raises ModelError where one is damaged.
    """
    return sorted(map(ComparedRun.of, paths), key=lambda run: (run.task, run.rank))


def differing(runs: Sequence[ComparedRun]) -> dict[str, list[Any]]:
    """Return by their keys the settings that are not the same in all runs, a value for each run."""
    values = {key: [run.settings[key] for run in runs] for key in runs[0].settings}
    return {key: found for key, found in values.items() if any(value != found[0] for value in found)}


def _figures(line: Mapping[str, Any]) -> dict[str, Any]:
    left_out = {"step", "epoch", "seconds", "best", "task", "train_loss", "examples", "tokens"}
    return {name: value for name, value in line.items() if name not in left_out}


def _rank(best: Checkpoint) -> tuple[float, float]:
    return (math.inf, math.inf) if best.metric is None else best.metric.rank
