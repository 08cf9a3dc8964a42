"""How near the default learning rate comes to the best of five: `bench_rates.py [DATA [PROCESSES]]`.

Networks of several widths and depths are trained on four tasks, with small and with large batches, for as
many updates each, at the rate that a training takes by itself and at others. DATA is the folder of the
data sets (../shared/data). With a GPU it takes minutes, on two cores a day.
"""

from __future__ import annotations

import itertools
import multiprocessing
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from report import ROOT, write_section

UPDATES = 300
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
WIDTHS = (1024, 256, 64)
DEPTHS = (2, 1)
BATCHES = (64, 16)
NEAR = 1.03  # times the best loss


class Point(NamedTuple):
    """One training."""

    task: str
    hidden: int
    layers: int
    batch: int
    factor: float

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that make it differ from others of its task."""
        return {"hidden_size": self.hidden, "num_layers": self.layers, "batch_size": self.batch}


def data_of(data: Path) -> dict[str, dict[str, Any]]:
    """Return the settings that name the data of each task."""
    snips = data / "snips"
    return {
        "language-model": {"train": (str(data / "tinyshakespeare" / "input.txt"),)},
        "seq2seq": {
            "train": (str(data / "sigmorphon2021_g2p" / "dut_train.tsv"),),
            "tokenizer": "char",
            "target_tokenizer": "word",
        },
        "tagging": {"source": str(snips / "train" / "seq.in"), "target": str(snips / "train" / "seq.out")},
        "classification": {
            "source": str(snips / "train" / "seq.in"),
            "target": str(snips / "train" / "label"),
        },
    }


@cache
def _prepared(task_name: str, data: Path) -> tuple[Any, Any]:
    """Read the data of a task once a process: the task that holds their vocabularies, and the data."""
    from seqrnn.data.dataset.prepare import prepare

    plan = _plan(task_name, data, {})
    task = plan.task()
    return task, prepare(plan.readable.data, task.fields, seed=1)


def _plan(task_name: str, data: Path, settings: Mapping[str, Any]) -> Any:
    from seqrnn.library.given_settings import from_keywords
    from seqrnn.library.plan import plan_training

    return plan_training([from_keywords({"task": task_name, **data_of(data)[task_name], **settings})])


def trained(
    task_name: str, data: Path, settings: Mapping[str, Any], factor: float = 1.0
) -> tuple[float, float, float]:
    """Train at `factor` times the default rate: the rate, the loss on the validation part, the metric."""
    from seqrnn.config import changed
    from seqrnn.run.directory import RunDirectory
    from seqrnn.training.events import Evaluated
    from seqrnn.training.session import Session

    updates = settings.get("steps", UPDATES)
    config = _plan(task_name, data, {"steps": updates, "evaluate_every": updates, **settings}).readable
    rate = config.training.learning_rate * factor
    config = changed(config, {"training.learning_rate": rate, "training.early_stopping": None})
    task, prepared = _prepared(task_name, data)
    task = task.with_config(config)
    session = Session(config, task, prepared)
    with tempfile.TemporaryDirectory() as directory:
        run = RunDirectory(Path(directory))
        found = [event for event in session.trainer.events(run) if isinstance(event, Evaluated)]
    return rate, float(found[-1].metrics["loss"]), float(task.metric_of(found[-1].metrics).value)


def _answer(asked: tuple[Point, Path]) -> tuple[Point, tuple[float, float, float]]:
    point, data = asked
    return point, trained(point.task, data, point.settings, point.factor)


def grid(tasks: Sequence[str]) -> list[Point]:
    """Return all trainings, those that take longest first."""
    return [
        Point(task, hidden, layers, batch, factor)
        for hidden, layers, batch, task, factor in itertools.product(WIDTHS, DEPTHS, BATCHES, tasks, FACTORS)
    ]


def row(point: Point, found: Mapping[float, tuple[float, float, float]]) -> list[str]:
    """Return what the page says of a network: the losses at each rate, and how near the default is."""
    best = min(loss for _, loss, _ in found.values())
    losses = [f"{found[factor][1]:.3f}" if factor in found else "" for factor in FACTORS]
    name = f"{point.layers} x {point.hidden}"
    return [
        point.task,
        name,
        str(point.batch),
        f"{found[1.0][0]:.2g}",
        *losses,
        f"{found[1.0][1] / best:.2f}",
    ]


def main(data: str = "", processes: str = "1") -> None:
    """Train all of them, and write the page."""
    import torch

    if not (data or torch.cuda.is_available()):
        print("bench_rates.py: left out, there is no CUDA device here; name the data to take a day")
        return
    folder = Path(data) if data else ROOT.parent / "shared" / "data"
    asked = [(point, folder) for point in grid([*data_of(folder)])]
    by_network: dict[Point, dict[float, tuple[float, float, float]]] = defaultdict(dict)
    with multiprocessing.get_context("spawn").Pool(int(processes)) as pool:
        for point, figures in pool.imap_unordered(_answer, asked):
            print(*point, *figures, flush=True)
            by_network[point._replace(factor=1.0)][point.factor] = figures
    rows = [row(point, found) for point, found in sorted(by_network.items())]
    near = sum(float(last) <= NEAR for *_, last in rows)
    head = [
        "task",
        "network",
        "batch",
        "default rate",
        *(f"{factor:g} x" for factor in FACTORS),
        "default / best",
    ]
    note = (
        f"Loss on the validation part after {UPDATES} updates. The default rate is within 3 % of the best of "
        f"five for {near} of {len(rows)} networks.\n\n"
    )
    write_section("bench_rates.py", "Learning rates of networks of many sizes", [head, *rows], note)


if __name__ == "__main__":
    main(*sys.argv[1:])
