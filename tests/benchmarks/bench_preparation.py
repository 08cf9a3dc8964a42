"""What it takes to prepare a text: megabytes a second, seconds of CPU, and memory of all processes.

`bench_preparation.py [MB] [CHECKOUT]` prepares so many megabytes, 1,000 by default, with this checkout of
seqrnn and another, such as an older commit's, in turns.
"""

from __future__ import annotations

import itertools
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from report import ROOT, write_section

MEGABYTES = 1000
KINDS = {
    "characters": ("--tokenizer", "char"),
    "bytes": ("--tokenizer", "byte"),
    "words as they are given": ("--tokenizer", "word", "--pretokenized", "yes"),
    "words and punctuation": ("--tokenizer", "word", "--pretokenized", "no"),
}
PAGE = os.sysconf("SC_PAGESIZE")


def write_text(path: Path, megabytes: int) -> None:
    """Write sentences of 200,000 different words, of which the n-th comes about 1/n times as often."""
    generator = random.Random(1)
    letters = "etaoinshrdlcumwfgypbvkjxqz"
    words = ["".join(generator.choices(letters, k=generator.randint(2, 10))) for _ in range(200_000)]
    weights = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(len(words))))
    lines = [
        f"{' '.join(generator.choices(words, cum_weights=weights, k=generator.randint(6, 18)))}.\n"
        for _ in range(100_000)
    ]
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < megabytes * 1_000_000:
            generator.shuffle(lines)
            file.writelines(lines)


def resident(pid: int) -> int:
    """Return the resident bytes of a process and of its children."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0
    return own + sum(resident(int(child)) for child in children)


def prepare(checkout: Path, text: Path, flags: tuple[str, ...]) -> tuple[float, float, float]:
    """Return the wall seconds and the CPU seconds of a preparation, and the most resident MiB.

    It is `seqrnn train FILE --task language-model --dry-run`, start-up and building the model included.
    """
    start_up = f"import sys; sys.path.insert(0, {str(checkout)!r}); from seqrnn.__main__ import main; main()"
    arguments = [
        "train",
        str(text),
        "--task",
        "language-model",
        "--format",
        "text",
        "--dry-run",
        "-q",
        *flags,
    ]
    command = [sys.executable, "-c", start_up, *arguments]
    with tempfile.TemporaryDirectory(dir=text.parent) as cache:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=text.parent, env={**os.environ, "SEQRNN_CACHE": cache})
        most = [0]
        done = threading.Event()
        watch = threading.Thread(target=_watch, args=(process.pid, most, done))
        watch.start()
        assert process.wait() == 0
        seconds = time.perf_counter() - start
        done.set()
        watch.join()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, most[0] / 2**20


def _watch(pid: int, most: list[int], done: threading.Event) -> None:
    while not done.wait(0.05):
        most[0] = max(most[0], resident(pid))


def main() -> None:
    """Measure and write down."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else MEGABYTES
    sides = {"": ROOT}
    if len(sys.argv) > 2:
        sides = {" (before)": Path(sys.argv[2]).absolute(), "": ROOT}
    rows = [["tokens", "MB/s", "CPU seconds a 100 MB", "most memory of all processes, MiB"]]
    with tempfile.TemporaryDirectory() as directory:
        text = Path(directory) / "text.txt"
        write_text(text, megabytes)
        size = text.stat().st_size / 1e6
        for kind, (name, checkout) in itertools.product(KINDS, sides.items()):
            seconds, cpu, memory = prepare(checkout, text, KINDS[kind])
            rows.append([kind + name, f"{size / seconds:.1f}", f"{100 * cpu / size:.1f}", f"{memory:,.0f}"])
    write_section("bench_preparation.py", f"Preparing a text of {size:,.0f} MB", rows)


if __name__ == "__main__":
    main()
