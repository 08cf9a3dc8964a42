"""What it takes to prepare a text or rows: megabytes a second, seconds of CPU, and memory of all processes.

`bench_preparation.py [--rows] [MB] [CHECKOUT]` prepares so many megabytes, 1,000 by default, with this
checkout of seqrnn and another, such as an older commit's, in turns.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from report import ROOT, write_section

MEGABYTES = 1000
LANGUAGE_MODEL = ("text.txt", "--task", "language-model", "--format", "text")
CLASSIFICATION = ("--task", "classification", "--tokenizer", "word", "--pretokenized", "no")
PAIRS = ("--src", "pairs.src", "--tgt", "pairs.tgt", "--task", "seq2seq", "--tokenizer", "word")
TEXTS = {
    "characters": (*LANGUAGE_MODEL, "--tokenizer", "char"),
    "bytes": (*LANGUAGE_MODEL, "--tokenizer", "byte"),
    "words as they are given": (*LANGUAGE_MODEL, "--tokenizer", "word", "--pretokenized", "yes"),
    "words and punctuation": (*LANGUAGE_MODEL, "--tokenizer", "word", "--pretokenized", "no"),
}
ROWS = {
    "CSV, texts and labels": ("table.csv", *CLASSIFICATION),
    "JSON lines, texts and labels": ("table.jsonl", *CLASSIFICATION),
    "pairs of two files": (*PAIRS, "--target-tokenizer", "word"),
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


def write_rows(text: Path) -> None:
    """Make a CSV table, JSON lines and pairs of the lines of a text, in files beside it."""
    generator = random.Random(2)
    names = ("table.csv", "table.jsonl", "pairs.src", "pairs.tgt")
    with ExitStack() as opened:
        table, objects, source, target = (
            opened.enter_context((text.parent / name).open("w", encoding="utf-8")) for name in names
        )
        table.write("text,label\n")
        for line in opened.enter_context(text.open(encoding="utf-8")):
            words, label = line.strip(), generator.choice("abcdefgh")
            cell = f'"{words.replace(" ", ", ", 1)}"' if generator.random() < 0.3 else words
            table.write(f"{cell},{label}\n")
            objects.write(json.dumps({"text": words, "label": label}) + "\n")
            source.write(f"{words}\n")
            target.write(f"{words[::-1]}\n")


def resident(pid: int) -> int:
    """Return the resident bytes of a process and of its children."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0
    return own + sum(resident(int(child)) for child in children)


def prepare(checkout: Path, directory: Path, flags: tuple[str, ...]) -> tuple[float, float, float]:
    """Return the wall seconds and the CPU seconds of a preparation, and the most resident MiB.

    It is `seqrnn train ... --dry-run`, start-up and building the model included.
    """
    start_up = f"import sys; sys.path.insert(0, {str(checkout)!r}); from seqrnn.__main__ import main; main()"
    arguments = ["train", *flags, "--dry-run", "-q"]
    command = [sys.executable, "-c", start_up, *arguments]
    with tempfile.TemporaryDirectory(dir=directory) as cache:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=directory, env={**os.environ, "SEQRNN_CACHE": cache})
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
    arguments = [argument for argument in sys.argv[1:] if argument != "--rows"]
    rows_of_files = len(arguments) < len(sys.argv) - 1
    megabytes = int(arguments[0]) if arguments else MEGABYTES
    sides = {"": ROOT}
    if len(arguments) > 1:
        sides = {" (before)": Path(arguments[1]).absolute(), "": ROOT}
    table = [["what", "MB", "MB/s", "CPU seconds a 100 MB", "most memory of all processes, MiB"]]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_text(directory / "text.txt", megabytes)
        if rows_of_files:
            write_rows(directory / "text.txt")
        kinds = ROWS if rows_of_files else TEXTS
        for (kind, flags), (side, checkout) in itertools.product(kinds.items(), sides.items()):
            files = [directory / flag for flag in flags if (directory / flag).is_file()]
            size = sum(file.stat().st_size for file in files) / 1e6
            seconds, cpu, memory = prepare(checkout, directory, flags)
            figures = (f"{size:,.0f}", f"{size / seconds:.1f}", f"{100 * cpu / size:.1f}", f"{memory:,.0f}")
            table.append([kind + side, *figures])
    what = "rows" if rows_of_files else "a text"
    call = [
        "bench_preparation.py",
        *["--rows"] * rows_of_files,
        str(megabytes),
        *["CHECKOUT"] * (len(sides) - 1),
    ]
    compared = ", before and now" if len(sides) > 1 else ""
    write_section(" ".join(call), f"Preparing {what}{compared}", table)


if __name__ == "__main__":
    main()
