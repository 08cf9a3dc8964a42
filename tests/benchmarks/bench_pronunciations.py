"""Pronouncing the 12,000 test words of CMUdict: seqrnn, greedily, against the package g2p-en, word by word.

It needs CMUdict beside the project (../shared/data/cmudict_g2p), and
- a trained model, the run directory in SEQRNN_G2P_RUN; without it, one is trained in build/ (15 minutes),
- a Python that has g2p-en, in SEQRNN_G2P_PYTHON; without it, an environment is made once in build/.
Both are measured as whole processes, from starting Python to the last word, and from the first word on: for
g2p-en once it is imported, for seqrnn without the time that the same command takes for one word.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from report import ROOT, in_turns, median_ratio, write_section

TRIAL_UPDATES = 5
DATA = ROOT.parent / "shared" / "data" / "cmudict_g2p"
BUILD = ROOT / "build" / "benchmarks"
TRAINING = ["--cell", "gru", "--hidden-size", "128", "--dropout", "0.1", "--budget", "15m"]
LOOP = """
import sys, time, types
import nltk
nltk.download = lambda *_, **__: False  # of data that `predict` does not use
import g2p_en.g2p as package
package.cmudict = types.SimpleNamespace(dict=dict)  # likewise
predict = package.G2p().predict
words = sys.stdin.read().lower().split()
start = time.perf_counter()
found = [predict(word) for word in words]
print(time.perf_counter() - start)
for phonemes in found:
    print(*(phoneme.rstrip("012") for phoneme in phonemes))  # the references have no stress
"""

Words = Callable[[], tuple[float, float, list[str]]]
"""Pronounces all words: seconds from the first word on, seconds of the process, and the pronunciations."""


def other_python() -> str | None:
    """Return a Python that has g2p-en, or None, having said what to do, where there is none."""
    if given := os.environ.get("SEQRNN_G2P_PYTHON"):
        return given
    python = BUILD / "g2p-en" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "g2p-en==2.1.0"]
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
        subprocess.run(install, check=True)
    except subprocess.CalledProcessError:
        print("g2p-en could not be installed; name a Python that has it: SEQRNN_G2P_PYTHON=... make bench")
        return None
    return str(python)


def trained() -> Path:
    """Return the run directory of a model, trained now if there is none."""
    if given := os.environ.get("SEQRNN_G2P_RUN"):
        return Path(given)
    run = BUILD / "pronunciations"
    if not run.exists():
        train = ["train", str(DATA / "g014b2b.train"), "-o", str(run), *TRAINING]
        subprocess.run([sys.executable, "-m", "seqrnn", *train], check=True)
    return run


def theirs(python: str, words: Path) -> Words:
    """Return what calls `predict` for one word after the other."""

    def pronounce() -> tuple[float, float, list[str]]:
        start = time.perf_counter()
        with words.open("rb") as file:
            result = subprocess.run([python, "-c", LOOP], stdin=file, capture_output=True, check=True)
        seconds, *found = result.stdout.decode().splitlines()
        return float(seconds), time.perf_counter() - start, found

    return pronounce


def ours(run: Path, words: Path, threads: int) -> Words:
    """Return what runs the whole command."""
    command = ["generate", "-m", str(run), "--greedy", "--quiet", "--threads", str(threads)]

    def timed(rows: bytes) -> tuple[float, list[str]]:
        start = time.perf_counter()
        result = subprocess.run(
            [sys.executable, "-m", "seqrnn", *command], input=rows, capture_output=True, check=True
        )
        return time.perf_counter() - start, result.stdout.decode().splitlines()

    def pronounce() -> tuple[float, float, list[str]]:
        start_up, _ = timed(b"a\n")
        whole, found = timed(words.read_bytes())
        return whole - start_up, whole, found

    return pronounce


def error_rate(found: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the share of words whose pronunciation is none of those that are right."""
    return sum(a not in right for a, right in zip(found, references, strict=True)) / len(references)


def main() -> None:
    """Measure and write down."""
    if not DATA.is_dir():
        print(f"no CMUdict in {DATA.relative_to(ROOT.parent)}: nothing is measured")
        return
    python = other_python()
    if python is None:
        return
    words, run = DATA / "g014b2b.words", trained()
    lines = (DATA / "g014b2b.ref").read_text(encoding="utf-8").splitlines()
    references = [line.split("\t")[1:] for line in lines]
    threads = sorted({1, min(2, len(os.sched_getaffinity(0)))})
    sides = {"g2p-en": theirs(python, words)}
    sides |= {f"seqrnn generate --greedy, {count} thread(s)": ours(run, words, count) for count in threads}
    wrong: dict[str, float] = {}

    processes: dict[str, list[float]] = {name: [] for name in sides}

    def speed(name: str) -> float:
        seconds, whole, found = sides[name]()
        wrong[name] = error_rate(found, references)
        processes[name].append(len(found) / whole)
        return len(found) / seconds

    measured = in_turns({name: lambda name=name: speed(name) for name in sides}, TRIAL_UPDATES)
    rows = [["", "words/s", "times g2p-en", "words/s, start-up included", "times g2p-en", "word error rate"]]
    for name in sides:
        row = [name]
        for speeds in (measured, {key: figures[1:] for key, figures in processes.items()}):
            ratio = median_ratio(speeds[name], speeds["g2p-en"])
            row += [f"{statistics.median(speeds[name]):,.0f}", f"{ratio:.1f}"]
        rows.append([*row, f"{wrong[name]:.1%}"])
    write_section("bench_pronunciations.py", f"Pronouncing {len(references):,} words", rows)


if __name__ == "__main__":
    main()
