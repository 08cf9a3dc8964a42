"""How long a command takes to help, or to answer one line, and a program, against Python and importing torch.

The model of the answer is an LSTM of one layer and 256 units over words.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from report import in_turns, median_ratio, write_section

TRIAL_UPDATES = 7
TRAIN = Path(__file__).parents[2] / "sample_data" / "mails.train.tsv"
SIZES = ["--unidirectional", "--layers", "1", "--hidden-size", "256", "--steps", "1", "--quiet"]
PROGRAM = "import sys, seqrnn; seqrnn.load(sys.argv[1]).classify([sys.stdin.read()])"
LINE = b"My chain broke yesterday, can you mend it?\n"
# Compiled modules are written, or Python would compile ours at every start.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def python(*arguments: str) -> None:
    """Run Python once; raises CalledProcessError where that fails."""
    command = [sys.executable, *arguments]
    subprocess.run(command, input=LINE, env=ENVIRONMENT, check=True, capture_output=True)


def timed(*arguments: str) -> Callable[[], float]:
    """Return a function that runs Python once and returns the wall time, in seconds."""

    def run() -> float:
        start = time.perf_counter()
        python(*arguments)
        return time.perf_counter() - start

    return run


def main() -> None:
    """Measure and write down."""
    with tempfile.TemporaryDirectory() as directory:
        run = str(Path(directory) / "run")
        python("-m", "seqrnn", "train", str(TRAIN), "-o", run, *SIZES)
        sides = {
            "python -c pass": timed("-c", "pass"),
            "python -c 'import torch'": timed("-c", "import torch"),
            "seqrnn --help": timed("-m", "seqrnn", "--help"),
            "seqrnn train --help": timed("-m", "seqrnn", "train", "--help"),
            "seqrnn classify --help": timed("-m", "seqrnn", "classify", "--help"),
            "seqrnn classify -m RUN, one line": timed("-m", "seqrnn", "classify", "-m", run),
            "seqrnn.load(RUN).classify([line])": timed("-c", PROGRAM, run),
        }
        measured = in_turns(sides, TRIAL_UPDATES)
    torch = measured["python -c 'import torch'"]
    rows = [["command", "seconds", "over `import torch`"]]
    for name, seconds in measured.items():
        rows.append([f"`{name}`", f"{statistics.median(seconds):.2f}", f"{median_ratio(seconds, torch):.2f}"])
    write_section("bench_startup.py", "Start-up", rows)


if __name__ == "__main__":
    main()
