"""What data larger than memory cost: seconds to prepare them, and what a training holds of them.

`bench_large_data.py [GB] [FOLDER]` writes so many gigabytes of text, 5 by default, in a folder with room for
about twice as many, and prepares them as one text and as an example a line, both in characters. Of each it
trains 200 updates, and the same of a hundredth of the text, whose memory is that of PyTorch and the model.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_preparation import resident, write_text
from report import write_section

MODEL = ("--steps", "200", "--threads", "1", "--batch-size", "32", "-q")
LAYOUTS = {"one text": ("--format", "text"), "an example a line": ("--format", "lines")}
FEW = ("--tokenizer", "char", "--task", "language-model", "--valid-fraction", "0.0001", "-q")
HEAD = ("read as", "MB/s to prepare", "MiB to prepare", "MiB to train", "beyond a hundredth of it")
INTERVAL = 0.1  # seconds between two looks at the memory


def run(*arguments: str) -> tuple[float, int]:
    """Run a command; return its seconds, and the most resident bytes of it and its children together."""
    began, most = time.monotonic(), 0
    process = subprocess.Popen([sys.executable, "-m", "seqrnn", *arguments])
    while process.poll() is None:
        most = max(most, resident(process.pid))
        time.sleep(INTERVAL)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)}: exit code {process.returncode}")
    return time.monotonic() - began, most


def measured(text: Path, layout: tuple[str, ...]) -> tuple[float, int, float, int]:
    """Prepare a text and train on it; return the seconds and the bytes of both."""
    prepared, trained = text.with_name("prepared"), text.with_name("run")
    preparing = run("prepare", str(text), "-o", str(prepared), *layout, *FEW)
    training = run("train", str(prepared), "-o", str(trained), *MODEL)
    for directory in (prepared, trained):
        shutil.rmtree(directory)
    return (*preparing, *training)


def main() -> None:
    """Measure, and write a section of the report."""
    gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        few, text = Path(folder, "few.txt"), Path(folder, "text.txt")
        write_text(few, round(gigabytes * 10))
        write_text(text, round(gigabytes * 1000))
        rows: list[list[str]] = [[*HEAD]]
        for name, layout in LAYOUTS.items():
            _, _, _, least = measured(few, layout)
            seconds, preparing, _, training = measured(text, layout)
            memory = [f"{size / 2**20:,.0f}" for size in (preparing, training, training - least)]
            rows.append([name, f"{text.stat().st_size / 1e6 / seconds:.0f}", *memory])
            print(rows[-1], flush=True)
    note = "200 updates of 32 rows; memory is the resident bytes of a command and its processes.\n\n"
    write_section("bench_large_data.py", f"{gigabytes:g} GB of text", rows, note)


if __name__ == "__main__":
    main()
