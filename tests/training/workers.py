"""Small trainings on sample_data, by one process or by several: `python workers.py FOLDER` is one of several.

The first worker prints what became of each training: losses, evaluations, and what was carried to the end.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

from torch._C._distributed_c10d import PrefixStore

from seqrnn.catalog import TASKS, load
from seqrnn.config_file import from_defaults, from_yaml, resolve
from seqrnn.data.dataset.prepare import prepare
from seqrnn.training.data_parallel import DataParallelWorkers, device_of
from seqrnn.training.events import Evaluated, Stepped
from seqrnn.training.rendezvous import Rendezvous
from seqrnn.training.rollback import LossWatch
from seqrnn.training.session import RunTarget, Session
from seqrnn.training.worker_loop import run_worker_loop
from seqrnn.training.worker_processes import WorkerRanks
from seqrnn.training.workers import Workers

SAMPLES = Path(__file__).parents[2] / "sample_data"
NAMES = tuple(sorted(path.stem for path in SAMPLES.glob("*.yaml")))
STREAMED = "lighthouse"
ROWS = 41  # of each file; 37 to train on, so that a batch of 4 is followed by one of a single example
SMALL = {
    "data.valid_fraction": 0.1,
    "data.transpose": 0,
    "model.hidden_size": 6,
    "model.embedding_size": 5,
    "model.channels": 4,
    "model.dropout": 0.0,
    "model.embedding_dropout": 0.0,
    "model.word_dropout": 0.0,
    "training.batch_size": 4,
    "training.segment_length": 20,
    "training.precision": "fp32",
    "training.device": "cpu",
    "training.threads": 1,
    "training.steps": 12,
    "training.schedule": "constant",
    "training.warmup": 0.0,
    "training.evaluate_every": 6,
}
ASTRAY, ALARM = "astray", 9  # a run, and the update after which it goes back
OWN = {STREAMED: {"training.batch_size": 3}}  # streams, which two workers cannot divide evenly


def shortened(folder: Path) -> None:
    """Put the first rows of each sample into a folder."""
    folder.mkdir(exist_ok=True)
    for path in SAMPLES.glob("*.*"):
        if path.suffix == ".npz":
            shutil.copy(path, folder)
        elif path.suffix in {".tsv", ".csv", ".jsonl", ".txt", ".conll"}:
            with path.open(encoding="utf-8") as lines:
                rows = 400 if path.suffix == ".conll" else ROWS
                (folder / path.name).write_text("".join(islice(lines, rows)), encoding="utf-8")
    (folder / "scenes").symlink_to(SAMPLES / "scenes")


class Alarm(LossWatch):
    """Finds once that a training has gone astray, between two evaluations."""

    def look(self, loss: float, rate: float) -> str | None:
        self._updates += 1
        return "a test wants it" if self._updates == ALARM else None

    def begin_anew(self) -> None:
        """Stay quiet."""


def trained(
    folder: Path, name: str, workers: Workers | None = None, run: str = "", **changes: object
) -> dict[str, list[float]]:
    """Train on a sample, or go on with a `run`; what differs from its settings is given by name.

    A run of the name `ASTRAY` goes back to an earlier state.
    """
    layer = from_yaml((SAMPLES / f"{name}.yaml").read_text(encoding="utf-8"), name)
    files = [str(folder / Path(file).name) for file in layer["data.train"].value]
    kept = {key: value for key, value in layer.items() if key not in {"training.epochs", "training.budget"}}
    own = {
        **SMALL,
        "data.train": tuple(files),
        **{f"training.{key}": value for key, value in changes.items()},
    }
    config = resolve([kept, from_defaults(own)])
    task = load(TASKS[config.task])(config)
    prepared = prepare(config.data, task.fields, 1)
    session = Session(config, task, prepared, workers=workers)
    if run.startswith(ASTRAY):
        session.trainer.rollback.watch = Alarm(None, False)
    if isinstance(workers, DataParallelWorkers) and not workers.leads:
        run_worker_loop(session.trainer, workers)
        return {}
    path = folder / (run or f"{name}-{workers.count if workers else 1}")
    events = list(session.train(RunTarget(path, resume=path.exists())))
    steps = [event for event in events if isinstance(event, Stepped)]
    return {
        "losses": [event.loss for event in steps],
        "tokens": [event.tokens for event in steps],
        "evaluated": [event.metrics["loss"] for event in events if isinstance(event, Evaluated)],
    }


def main(folder: Path) -> None:
    ranks = WorkerRanks.of_environment(os.environ)
    rendezvous = Rendezvous(ranks)
    rendezvous.set_ready()
    while not rendezvous.is_complete():
        time.sleep(0.01)
    found = {}
    for number, case in enumerate((*NAMES, ASTRAY, "by one")):
        # By turns as neighbours, through shared memory, and as workers of different machines, through Gloo.
        here = replace(ranks, local_count=ranks.count if number % 2 else 1)
        workers = DataParallelWorkers(PrefixStore(case, rendezvous.store), here, device_of("cpu", ranks))
        if case in NAMES:
            found[case] = trained(folder, case, workers)
        elif case == ASTRAY:
            found[case] = trained(folder, STREAMED, workers, f"{ASTRAY} by two")
        else:
            found[case] = trained(folder, STREAMED, workers, case, steps=24)
        workers.close()
    if ranks.rank == 0:
        print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
