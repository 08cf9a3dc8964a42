"""How long a command takes to say what it can do, against an empty Python and against importing torch."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from report import in_turns, median_ratio, write_section

ROUNDS = 7
SIDES = {
    "python -c pass": ["-c", "pass"],
    "python -c 'import torch'": ["-c", "import torch"],
    "seqrnn --help": ["-m", "seqrnn", "--help"],
    "seqrnn train --help": ["-m", "seqrnn", "train", "--help"],
    "seqrnn classify --help": ["-m", "seqrnn", "classify", "--help"],
}


def timed(arguments: list[str]) -> Callable[[], float]:
    """Return a function that runs Python once and returns the wall time, in seconds."""

    def run() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        return time.perf_counter() - start

    return run


def main() -> None:
    """Measure and write down."""
    measured = in_turns({name: timed(arguments) for name, arguments in SIDES.items()}, ROUNDS)
    torch = measured["python -c 'import torch'"]
    rows = [["command", "seconds", "over `import torch`"]]
    for name, seconds in measured.items():
        rows.append([f"`{name}`", f"{statistics.median(seconds):.2f}", f"{median_ratio(seconds, torch):.2f}"])
    write_section("bench_startup.py", "Start-up", rows)


if __name__ == "__main__":
    main()
