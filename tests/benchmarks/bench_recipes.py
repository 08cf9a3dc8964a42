"""The recipes of docs/deploying.md for Ray Data and Spark: rows a second of two workers against one.

The scripts are the page's, but for the number of workers and for what `seqrnn.load` returns, which notes when
each batch was answered. Measured is from when half of the rows are answered to when the last one is, so that
the engines' start-up, the opening of the model and the writing of the last rows count on neither side, nor
does what Spark's Java compiles at first, for which it takes a third of a core. A worker has one thread.
Processes without an engine show what the machine gives.

Needs Ray, PySpark and a Java, which `make recipes` installs.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from functools import partial
from importlib.util import find_spec
from itertools import accumulate, chain, pairwise
from pathlib import Path

from bench_bulk import spliced, train
from report import ROOT, in_turns, median_ratio, write_section

sys.path.insert(0, str(ROOT / "tests" / "recipes"))
from test_recipes import BLOCKS

ROWS = int(os.environ.get("ROWS", "200000"))
ROUNDS = int(os.environ.get("ROUNDS", "2"))
ENGINES = {"ray": "Ray Data", "pyspark": "Spark"}
WORKERS = {  # what a recipe has for two workers, and what it has for N
    "ray": {"num_cpus=3": "num_cpus={0} + 1", "size=2": "size={0}"},
    "pyspark": {"local[2]": "local[{0}]", "repartition(2)": "repartition({0})"},
}
NOTING = '''
"""What a recipe knows as `seqrnn`: a model that notes when it has answered how many rows."""
import os
import time

import seqrnn


class load:
    def __init__(self, run):
        self.model = seqrnn.load(run)

    def classify(self, rows, **options):
        answers = self.model.classify(rows, **options)
        with open(os.path.join(os.environ["NOTES"], str(os.getpid())), "a") as notes:
            print(time.monotonic(), len(rows), file=notes)
        return answers
'''
ALONE = """
import json
import sys

import noting

number, count = int(sys.argv[1]), int(sys.argv[2])
model = noting.load("runs/mails")
rows = [json.loads(line)["text"] for line in open("mails.jsonl", encoding="utf-8")][number::count]
for start in range(0, len(rows), 10_000):
    model.classify(rows[start : start + 10_000], errors="return")
"""


def scripts(engine: str | None, workers: int) -> list[str]:
    """Return what is run for so many workers: one script for an engine, and without one several."""
    if engine is None:
        return [ALONE] * workers
    text = BLOCKS[engine]
    for two, any_number in WORKERS[engine].items():
        assert text.count(two) == 1, two
        text = text.replace(two, any_number.format(workers))
    return [text.replace("import seqrnn\n", "import noting as seqrnn\n")]


def measured(folder: Path, engine: str | None, workers: int) -> float:
    """Run a recipe; return the rows a second of all workers together."""
    for former in [*folder.glob("answered-by-*"), *folder.glob("notes")]:
        shutil.rmtree(former)
    notes = folder / "notes"
    notes.mkdir()
    environment = {
        **os.environ,
        "NOTES": str(notes),
        "PYTHONPATH": str(folder),
        "PYSPARK_PYTHON": sys.executable,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",  # as Spark's
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    }
    started = []
    with (folder / "said.txt").open("w", encoding="utf-8") as said:
        for number, text in enumerate(scripts(engine, workers)):
            script = folder / f"script_{number}.py"
            script.write_text(text, encoding="utf-8")
            command = [sys.executable, script.name, str(number), str(workers)]
            started.append(subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said))
        codes = [process.wait() for process in started]
        if any(codes):
            raise SystemExit((folder / "said.txt").read_text(encoding="utf-8"))
    return rate(notes, workers)


def rate(notes: Path, workers: int) -> float:
    """Return the rows a second of the second half; of a batch that was under way at its start, its share."""
    batches: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for file in notes.iterdir():
        for line in file.read_text(encoding="utf-8").splitlines():
            when, count = line.split()
            batches[file.name].append((float(when), int(count)))
    assert len(batches) == workers, batches
    assert sum(rows for own in batches.values() for _, rows in own) == ROWS
    ordered = sorted(chain.from_iterable(batches.values()))
    so_far = accumulate(rows for _, rows in ordered)
    half = next(time for (time, _), done in zip(ordered, so_far, strict=True) if 2 * done >= ROWS)
    start = max(half, *(own[0][0] for own in batches.values()))  # when all have begun, too
    end = max(own[-1][0] for own in batches.values())
    answered = 0.0
    for own in batches.values():
        for (before, _), (after, rows) in pairwise(own):
            answered += rows * max(0.0, after - max(before, start)) / (after - before)
    return answered / (end - start)


def main() -> None:
    """Measure and write down."""
    missing = [name for name in ENGINES if find_spec(name) is None]
    if missing or shutil.which("java") is None:
        print(f"not measured: {' and '.join(missing) or 'Java'} not installed (make recipes)")
        return
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        lines = spliced(train(folder / "runs" / "mails"), ROWS)
        rows = "".join(json.dumps({"text": line}) + "\n" for line in lines)
        (folder / "mails.jsonl").write_text(rows, encoding="utf-8")
        (folder / "noting.py").write_text(NOTING, encoding="utf-8")
        names = {None: "no engine", **ENGINES}
        sides = {
            f"{name} {count}": partial(measured, folder, engine, count)
            for engine, name in names.items()
            for count in (1, 2)
        }
        rates = in_turns(sides, ROUNDS)
    table = [["engine", "one worker, rows/s", "two workers, rows/s", "ratio"]]
    for name in names.values():
        one, two = rates[f"{name} 1"], rates[f"{name} 2"]
        medians = [f"{statistics.median(side):,.0f}" for side in (one, two)]
        table.append([name, *medians, f"{median_ratio(two, one):.2f}"])
    load = f"{os.getloadavg()[0]:.0f} processes wanted the two cores at the end.\n\n"
    write_section("bench_recipes.py", "The recipes for Ray Data and Spark (LSTM 256, words)", table, load)


if __name__ == "__main__":
    main()
