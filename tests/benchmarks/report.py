"""Where benchmarks write down what they measured: one section a benchmark in docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

`make bench` measures all of this anew and rewrites the sections, `make bench-gpu` those of a GPU. Both sides
of a ratio run in turns in one call, and each figure is the median of the rounds: absolute times depend on the
machine and its neighbours, ratios hardly do.
"""


Figure = TypeVar("Figure")


def in_turns(sides: dict[str, Callable[[], Figure]], rounds: int) -> dict[str, list[Figure]]:
    """Call each side once a round, after a round that does not count; return its figures by round."""
    for side in sides.values():
        side()
    measured: dict[str, list[Figure]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            measured[name].append(side())
    return measured


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median over the rounds of one figure over the other."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def write_section(
    script: str, title: str, rows: Sequence[Sequence[str]], note: str = "", device: str = ""
) -> None:
    """Put a table (its head first) into the page, in the place of the script's former one; print it."""
    table = "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]])
    section = f"## {title}\n\n`python tests/benchmarks/{script}`, {_where(device)}\n\n{note}{table}\n"
    print(section)
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else HEAD
    former = re.compile(rf"## {re.escape(title)}\n.*?(?=\n## |\Z)", re.DOTALL)
    page = former.sub(lambda _: section, page) if former.search(page) else f"{page}\n{section}"
    PAGE.write_text(page, encoding="utf-8")


def commit_of(checkout: Path) -> str:
    """Return the short name of a checkout's commit, or what is known of a copy without its history."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    found = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    return found.stdout.strip() or os.environ.get("SEQRNN_COMMIT", "unknown")


def _where(device: str) -> str:
    commit = commit_of(ROOT)
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    cores = len(os.sched_getaffinity(0))
    processor = model[1] if model else platform.processor()
    return f"commit {commit}, {device}{cores} cores of {processor}, Python {platform.python_version()}"
