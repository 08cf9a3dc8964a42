"""Trains by a checkout's seqrnn: `training_rate.py CHECKOUT TASK SECONDS SETTINGS`, settings as JSON.

Each line on standard input is answered by the tokens a second of the next SECONDS of training, by the clock
and by the CPU time of the process; so two checkouts can be measured in turns. What the settings do not say is
the checkout's own default of the task.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

ENDLESS = {"data.valid_fraction": 0.0, "training.steps": 10**9, "training.evaluate_every": 10**9}


def slots(data: Path) -> dict[str, Any]:
    """Return the settings of a tagger of SNIPS slots; `data` holds the folder `snips`."""
    sides = {"source": "train/seq.in", "target": "train/seq.out"}
    return {"data.format": "parallel", **{f"data.{k}": str(data / "snips" / v) for k, v in sides.items()}}


def start(
    checkout: Path, task: str, seconds: float, settings: Mapping[str, Any], folder: str
) -> subprocess.Popen[str]:
    """Start a process that trains; prepared data are kept in `folder`, apart for each checkout."""
    given = [str(checkout), task, str(seconds), json.dumps(settings), f"{folder}/{checkout.resolve().name}"]
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, __file__, *given], stdin=pipe, stdout=pipe, text=True)


def asked(worker: subprocess.Popen[str]) -> Callable[[], tuple[float, float]]:
    """Return a function that has a worker train for a while: tokens a second, and a second of CPU time."""

    def ask() -> tuple[float, float]:
        assert worker.stdin is not None
        assert worker.stdout is not None
        print(file=worker.stdin, flush=True)
        by_clock, by_cpu = worker.stdout.readline().split()
        return float(by_clock), float(by_cpu)

    return ask


def _steps(task_name: str, settings: Mapping[str, Any]) -> Any:
    """Yield the updates of a training, by this checkout or by one whose modules had other names."""
    from seqrnn.catalog import TASKS, load
    from seqrnn.config_file import from_defaults, resolve
    from seqrnn.run.directory import RunDirectory

    try:
        from seqrnn.data.dataset.prepare import prepare
        from seqrnn.training.session import Session
    except ImportError:
        from seqrnn.data.prepare import prepare  # type: ignore[no-redef, import-not-found, unused-ignore]
        from seqrnn.engine.session import Session  # type: ignore[no-redef, import-not-found, unused-ignore]
    with suppress(ImportError):  # what the command tells its process
        from seqrnn.cli.process import keep_memory

        keep_memory()
    kind = load(TASKS[task_name])
    own = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    config = resolve([from_defaults(kind.defaults), from_defaults({"task": task_name, **ENDLESS, **own})])
    task = kind(config)
    session = Session(config, task, prepare(config.data, task.fields, seed=1))
    events = session.trainer.events(RunDirectory(Path(tempfile.mkdtemp(dir=os.environ["SEQRNN_CACHE"]))))
    return (event for event in events if type(event).__name__ == "Stepped")


def main(checkout: str, task: str, seconds: str, settings: str, cache: str) -> None:
    """Answer until standard input ends."""
    sys.path.insert(0, checkout)
    Path(cache).mkdir(parents=True, exist_ok=True)
    os.environ["SEQRNN_CACHE"] = cache
    import torch

    steps = _steps(task, json.loads(settings))
    for _ in sys.stdin:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        begun, by_cpu, tokens = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - begun < float(seconds):
            tokens += next(steps).tokens
        print(tokens / (time.perf_counter() - begun), tokens / (time.process_time() - by_cpu), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
