"""Trains a tagger of SNIPS slots on a GPU by a checkout's seqrnn: `gpu_slots.py CHECKOUT DATA [BATCH]`.

Each line on standard input is answered by the tokens a second of the next `SECONDS` of training; so two
checkouts can be measured in turns. Without BATCH the batches are of the checkout's own size.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SECONDS = 2.5


def settings(data: Path, batch: int | None) -> dict[str, Any]:
    """Return the settings that differ from a tagger's own."""
    sides = {"source": "train/seq.in", "target": "train/seq.out"}
    given: dict[str, Any] = {f"data.{side}": str(data / name) for side, name in sides.items()}
    given |= {"task": "tagging", "data.format": "parallel", "data.valid_fraction": 0.0}
    given |= {"training.steps": 10**9, "training.evaluate_every": 10**9}
    return given if batch is None else given | {"training.batch_size": batch}


def main(checkout: str, data: str, batch: str | None = None) -> None:
    """Answer until standard input ends."""
    sys.path.insert(0, checkout)
    import torch

    from seqrnn.catalog import TASKS, load
    from seqrnn.config_file import from_defaults, resolve
    from seqrnn.data.dataset.prepare import prepare
    from seqrnn.run.directory import RunDirectory
    from seqrnn.training.events import Stepped
    from seqrnn.training.session import Session

    kind = load(TASKS["tagging"])
    config = resolve(
        [from_defaults(kind.defaults), from_defaults(settings(Path(data), int(batch) if batch else None))]
    )
    task = kind(config)
    session = Session(config, task, prepare(config.data, task.fields, seed=1))
    events = session.trainer.events(RunDirectory(Path(tempfile.mkdtemp())))
    steps = (event for event in events if isinstance(event, Stepped))
    for _ in sys.stdin:
        torch.cuda.synchronize()
        start, tokens = time.perf_counter(), 0
        while time.perf_counter() - start < SECONDS:
            tokens += next(steps).tokens
        print(tokens / (time.perf_counter() - start), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
