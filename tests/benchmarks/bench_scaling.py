"""What a token of a language model costs in training, against each size: CPU time of one thread, and memory.

CPU time, unlike the time on the clock, hardly depends on the neighbours. One size is changed at a time.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from report import write_section

from seqrnn.backends.torch.build import count_parameters
from seqrnn.config_file import from_defaults, resolve
from seqrnn.data.dataset.prepare import prepare
from seqrnn.run.directory import RunDirectory
from seqrnn.tasks.language_model import LanguageModeling
from seqrnn.training.events import Stepped
from seqrnn.training.session import Session

UPDATES = 4  # that count; two before them do not


@dataclass(frozen=True)
class Sizes:
    """Of a model, its batches and its corpus."""

    vocabulary: int = 100
    hidden: int = 256
    layers: int = 1
    length: int = 64
    batch: int = 16
    tokens: int = 60_000


BASE = Sizes()
CHANGES = (
    *(replace(BASE, vocabulary=size) for size in (1000, 10_000)),
    *(replace(BASE, hidden=size) for size in (128, 512)),
    replace(BASE, layers=2),
    *(replace(BASE, length=size) for size in (16, 256)),
    *(replace(BASE, batch=size) for size in (4, 64)),
    replace(BASE, tokens=600_000),
)


def cost(sizes: Sizes, folder: Path) -> tuple[float, int]:
    """Return the CPU microseconds of a token, and the parameters."""
    draws = np.random.default_rng(1).integers(sizes.vocabulary, size=sizes.tokens)
    draws[: sizes.vocabulary] = np.arange(sizes.vocabulary)
    text = folder / "text.txt"
    text.write_text(" ".join(f"w{number}" for number in draws), encoding="utf-8")
    settings = {
        "task": "language-model",
        "data.train": (str(text),),
        "data.format": "text",
        "data.tokenizer": "word",
        "data.valid_fraction": 0.0,
        "model.hidden_size": sizes.hidden,
        "model.num_layers": sizes.layers,
        "training.segment_length": sizes.length,
        "training.batch_size": sizes.batch,
        "training.precision": "fp32",
        "training.device": "cpu",
        "training.threads": 1,
        "training.steps": 1000,
    }
    config = resolve([from_defaults(settings)])
    task = LanguageModeling(config)
    session = Session(config, task, prepare(config.data, task.fields, 1))
    spent, taken = [], time.process_time()
    for event in session.trainer.events(RunDirectory(folder)):
        if isinstance(event, Stepped):
            spent.append((time.process_time() - taken) / event.tokens)
            taken = time.process_time()
        if len(spent) == UPDATES + 2:
            break
    return 1e6 * statistics.median(spent[2:]), count_parameters(session.model)


def main() -> None:
    """Measure and write down."""
    rows = [["changed", "parameters", "gradient, MB", "CPU us a token", "against the first"]]
    first = 0.0
    for sizes in (BASE, *CHANGES):
        with tempfile.TemporaryDirectory() as directory:
            spent, parameters = cost(sizes, Path(directory))
        first = first or spent
        new = [f"{name} {value:,}" for name, value in asdict(sizes).items() if value != getattr(BASE, name)]
        named = new[0] if new else ", ".join(f"{name} {value:,}" for name, value in asdict(BASE).items())
        row = [
            named,
            f"{parameters:,}",
            f"{4 * parameters / 1e6:.1f}",
            f"{spent:.1f}",
            f"{spent / first:.2f}",
        ]
        rows.append(row)
    write_section("bench_scaling.py", "What a token costs in training a language model", rows)


if __name__ == "__main__":
    main()
