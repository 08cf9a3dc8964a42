"""Asks changed run directories, and judges how each command ends.

    python fuzz.py --seconds 60 --seed 1 --processes 2 --findings DIRECTORY --replay corpus.jsonl

Small runs of every task are trained first. Then a run is copied and changed, its manifests are made right
again, and a command is asked of the copy, thousands of times. What must hold is in `fuzz_verdict.py`. Prints
one JSON object with the counts; exits with 1 where something was found, which stands in DIRECTORY as a
recipe (a line for `corpus.jsonl`) beside the changed run itself. `make faults` calls it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import fuzz_edits
import fuzz_process
from fuzz_mutations import draw
from fuzz_process import Outcome
from fuzz_runs import KINDS, questions, training, write_data
from fuzz_verdict import ROOM, Known, Probe, changes, faults, size_of, snapshot

PLACE = Path("probe")  # where a changed run is asked, and writes


class Fuzzer:
    """Runs in the current directory, and what changed copies of them answer."""

    def __init__(self, findings: Path | None) -> None:
        self.findings = findings
        self.asked: Counter[str] = Counter()
        self.codes: Counter[int] = Counter()
        self.found: list[dict[str, Any]] = []
        self.usual: dict[tuple[str, str], int] = {}  # bytes that an intact run takes, by run and question
        self.least = 0  # bytes that every child takes

    def make_runs(self) -> None:
        """Train a run of every kind."""
        write_data(Path())
        for name in KINDS:
            outcome = fuzz_process.run(training(name, f"runs/{name}"))
            assert outcome.code == 0, f"{name}: {outcome}"
        self.least = fuzz_process.run(["inspect", "-m", "runs/classifier", "--config"]).peak

    def fuzz(self, seconds: float, seed: int) -> None:
        """Ask for so long."""
        random, end = Random(seed), time.monotonic() + seconds
        places = [(name, question) for name in KINDS for question in questions(name, "", "")]
        while time.monotonic() < end:
            run, question = random.choice(places)
            self.judge(Probe(run, question, *draw(random, Path("runs") / run, question == "resume")))

    def replay(self, recipes: Iterator[dict[str, Any]]) -> None:
        """Ask what was found before."""
        for recipe in recipes:
            self.judge(Probe(recipe["run"], recipe["ask"], recipe["edits"], recipe["rehash"]))

    def judge(self, probe: Probe) -> None:
        """Ask once, and keep what is wrong."""
        outcome, changed = self._ask(probe, PLACE)
        self.asked[probe.question] += 1
        self.codes[outcome.code] += 1
        rows = Path(f"{probe.run}.rows").read_text().count("\n")
        known = Known(probe, rows, self._usual_peak(probe, outcome), size_of(PLACE / "run"), changed)
        if wrong := faults(outcome, known):
            self._keep(probe, outcome, wrong)

    def _usual_peak(self, probe: Probe, outcome: Outcome) -> int:
        """Bytes that the intact run takes; measured only where the changed one takes more than any has to."""
        if outcome.peak <= self.least + ROOM:
            return outcome.peak
        place = (probe.run, probe.question)
        if place not in self.usual:
            intact, _ = self._ask(Probe(*place, [], False), Path("intact"))
            # Not every model has each form, such as ONNX.
            assert intact.code == 0 or (intact.code, probe.question) == (2, "onnx"), f"{place}: {intact}"
            self.usual[place] = intact.peak
        return self.usual[place]

    def _ask(self, probe: Probe, place: Path) -> tuple[Outcome, dict[str, bool]]:
        """Ask a changed copy of a run; the outcome, and what that has changed in the copy."""
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(f"runs/{probe.run}", place / "run")
        fuzz_edits.apply(place / "run", probe.edits, probe.rehash)
        before = snapshot(place / "run")
        outcome = fuzz_process.run(questions(probe.run, str(place / "run"), str(place))[probe.question])
        return outcome, changes(before, snapshot(place / "run"))

    def _keep(self, probe: Probe, outcome: Outcome, wrong: list[str]) -> None:
        recipe = {**probe.recipe(), "wrong": wrong, "code": outcome.code, "stderr": outcome.stderr[-2000:]}
        self.found.append(recipe)
        if self.findings is None:
            return
        place = self.findings / f"{os.getpid()}-{len(self.found):04d}"
        shutil.copytree(PLACE / "run", place, symlinks=True, ignore=_special)
        with open(self.findings / f"findings-{os.getpid()}.jsonl", "a") as file:
            file.write(json.dumps(recipe) + "\n")


def _special(folder: str, names: list[str]) -> list[str]:
    """What cannot be copied, or should not be."""
    paths = [Path(folder) / name for name in names]
    return [
        path.name for path in paths if path.is_fifo() or (path.is_file() and path.stat().st_size > 1 << 24)
    ]


def fuzz(given: argparse.Namespace) -> dict[str, Any]:
    """Make the runs, replay, and ask; return the report."""
    recipes = [json.loads(line) for line in given.replay.read_text().splitlines()] if given.replay else []
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    fuzzer = Fuzzer(given.findings and given.findings.absolute())
    fuzz_process.warm_up()
    with tempfile.TemporaryDirectory(prefix="seqrnn-fuzz-") as place:
        os.chdir(place)
        os.environ["SEQRNN_CACHE"] = str(PLACE.absolute() / "cache")  # goes with each probe
        fuzzer.make_runs()
        fuzzer.replay(iter(recipes))
        fuzzer.fuzz(given.seconds, given.seed)
        os.chdir("/")
    counts = {"asked": sum(fuzzer.asked.values()), "replayed": len(recipes), "questions": fuzzer.asked}
    return {**counts, "codes": {str(code): n for code, n in fuzzer.codes.items()}, "found": fuzzer.found}


def side_by_side(given: argparse.Namespace) -> dict[str, Any]:
    """Fuzz in several processes, each with a seed of its own; return their reports as one."""
    command = [sys.executable, __file__, "--seconds", str(given.seconds)]
    command += [] if given.findings is None else ["--findings", str(given.findings)]
    seeds = [["--seed", str(given.seed + number)] for number in range(given.processes)]
    seeds[0] += [] if given.replay is None else ["--replay", str(given.replay)]
    children = [subprocess.Popen([*command, *seed], stdout=subprocess.PIPE, text=True) for seed in seeds]
    printed = [child.communicate()[0] for child in children]
    if any(child.returncode not in {0, 1} for child in children):
        sys.exit(f"a fuzzer ended with {[child.returncode for child in children]}")
    reports = list(map(json.loads, printed))
    together: dict[str, Any] = {
        name: sum(report[name] for report in reports) for name in ("asked", "replayed")
    }
    for name in ("questions", "codes"):
        together[name] = sum((Counter(report[name]) for report in reports), Counter())
    return {**together, "found": [finding for report in reports for finding in report["found"]]}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--findings", type=Path)
    parser.add_argument("--replay", type=Path)
    given = parser.parse_args()
    if given.findings is not None:
        given.findings.mkdir(parents=True, exist_ok=True)
    report = fuzz(given) if given.processes == 1 else side_by_side(given)
    print(json.dumps(report, indent=1))
    return 1 if report["found"] else 0


if __name__ == "__main__":
    sys.exit(main())
