"""What must hold of a command that was asked about a run directory which anybody may have written."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from fuzz_edits import Edit
from fuzz_process import Outcome

READS_DATA = frozenset({"evaluate", "resume", "init"})

ROOM = 64 << 20  # bytes that a command may hold beyond twice the files and what the intact run takes
SIGNS_OF_A_BUG = ("Traceback", "panicked", "Warning", "a bug in seqrnn", "forbidden:", "Fatal Python error")
JSON_LINES = frozenset({"classify", "inspect", "evaluate"})

Snapshot: TypeAlias = dict[str, tuple[int, int, str]]


@dataclass(frozen=True)
class Probe:
    """One question to one changed run."""

    run: str
    question: str
    edits: list[Edit]
    rehash: bool

    def recipe(self) -> dict[str, Any]:
        return {"run": self.run, "ask": self.question, "rehash": self.rehash, "edits": self.edits}

    def codes(self) -> frozenset[int]:
        """How the command may end: with answers, or the run is refused.

        Weights that are numbers, but absurd ones, overflow (6). Data may not be those of a changed run (3).
        Settings may ask for another command, or for a device that is not there (2).
        """
        told = any(edit["file"] == "config.yaml" for edit in self.edits)
        also = {2} if told or self.question in {"init", "onnx"} else set()
        return frozenset({0, 4, 6} | also | ({3} if self.question in READS_DATA else set()))


@dataclass(frozen=True)
class Known:
    """What is known beside the outcome: the rows asked, the memory of the intact run, what is on the disk."""

    probe: Probe
    rows: int
    usual_peak: int
    bytes_of_files: int
    changes: Mapping[str, bool]  # names of what is not as it was, and whether they are new


def faults(outcome: Outcome, known: Known) -> list[str]:
    """What is wrong with an outcome, each in a few words."""
    wrong = [sign for sign in SIGNS_OF_A_BUG if sign in outcome.stderr]
    if outcome.hung:
        wrong.append("hangs")
    elif outcome.code not in known.probe.codes():
        wrong.append(f"ends with {outcome.code}")
    wrong += _of_stderr(outcome) + _of_stdout(outcome, known)
    if not _may_change(outcome, known):
        wrong.append("changed the directory")
    extra = outcome.peak - known.usual_peak
    if extra > 2 * known.bytes_of_files + ROOM:
        wrong.append(f"held {extra >> 20} MiB more than the intact run")
    return wrong


def _may_change(outcome: Outcome, known: Known) -> bool:
    """Only a training that goes on writes: all it has; one that diverges (6) keeps what it has found."""
    if known.probe.question != "resume" or outcome.code not in {0, 6}:
        return not known.changes
    old = {name for name, is_new in known.changes.items() if not is_new}
    return outcome.code == 0 or old <= {"metrics.jsonl"}


def _of_stderr(outcome: Outcome) -> list[str]:
    lines = outcome.stderr.splitlines()
    wrong = [] if all(line.startswith("seqrnn: ") for line in lines) else ["stderr is not ours"]
    errors = [line for line in lines if line.startswith("seqrnn: error: ")]
    if len(errors) != (outcome.code != 0):
        wrong.append(f"{len(errors)} lines of error")
    return wrong


def _of_stdout(outcome: Outcome, known: Known) -> list[str]:
    if outcome.code in {2, 3, 4}:
        return ["stdout holds something"] if outcome.stdout else []
    if outcome.code != 0:
        return []
    lines = outcome.stdout.decode().split("\n")[:-1]
    wrong = []
    if known.probe.question == "classify" and len(lines) != known.rows:
        wrong.append(f"{len(lines)} answers to {known.rows} rows")
    if known.probe.question in JSON_LINES:
        try:
            for line in lines:
                json.loads(line, parse_constant=_refuse)
        except ValueError:
            wrong.append("stdout is not JSON")
    return wrong


def _refuse(name: str) -> None:
    raise ValueError(name)


def changes(before: Snapshot, after: Snapshot) -> dict[str, bool]:
    """The names of what is there no more, or not as it was, or new; and whether they are new."""
    names = before.keys() | after.keys()
    return {name: name not in before for name in names if before.get(name) != after.get(name)}


def snapshot(run: Path) -> Snapshot:
    """What is on the disk: of each name the mode, the size and a hash; not of the lock."""
    found = {}
    for path in sorted(run.rglob("*")):
        if path.name != "lock":
            status = os.lstat(path)
            small = stat.S_ISREG(status.st_mode) and status.st_size < 1 << 26
            digest = hashlib.sha256(path.read_bytes()).hexdigest() if small else ""
            found[str(path.relative_to(run))] = (status.st_mode, status.st_size, digest)
    return found


def size_of(run: Path) -> int:
    """Bytes of the files of a run that are really on the disk."""
    return sum(os.lstat(path).st_blocks * 512 for path in run.rglob("*"))
