"""Training a character model: the whole of seqrnn's loop against a plain one over `nn.LSTM`.

Same sizes, same text, float32 and bfloat16: what the ratio shows is the cost of everything around the
network (batches, events, bookkeeping), which should be next to nothing.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from report import in_turns, median_ratio, write_section
from torch import nn

from seqrnn.backends.torch.build import build_model
from seqrnn.config_file import from_defaults, resolve
from seqrnn.data.dataset.prepare import prepare
from seqrnn.run.directory import RunDirectory
from seqrnn.tasks.language_model import LanguageModeling
from seqrnn.training.events import Stepped
from seqrnn.training.trainer import Trainer

TRIAL_UPDATES = 5
EMBEDDING = 128
TEXT = Path(__file__).parents[2] / "sample_data" / "lighthouse.txt"


@dataclass(frozen=True)
class Sizes:
    """Of a character model, and of its training."""

    hidden: int = 256
    layers: int = 1
    streams: int = 32
    segment: int = 64
    steps: int = 40  # updates of a round
    device: str = "cpu"
    text: Path = TEXT


def plain_loop(ids: np.ndarray, precision: str, sizes: Sizes) -> Callable[[], float]:
    """Return a function that trains with a loop as a tutorial writes it: characters a second."""
    torch.manual_seed(1)
    vocabulary, segment = int(ids.max()) + 1, sizes.segment
    network = nn.ModuleList(
        [
            nn.Embedding(vocabulary, EMBEDDING),
            nn.LSTM(EMBEDDING, sizes.hidden, sizes.layers, batch_first=True),
            nn.Linear(sizes.hidden, vocabulary),
        ]
    ).to(sizes.device)
    embedding, rnn, output = network
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    columns = torch.from_numpy(ids[: len(ids) // sizes.streams * sizes.streams].astype(np.int64))
    columns = columns.view(sizes.streams, -1).to(sizes.device)

    def run() -> float:
        start, state = time.perf_counter(), None
        for step in range(sizes.steps):
            at = step * segment % (columns.shape[1] - segment - 1)
            x, y = columns[:, at : at + segment], columns[:, at + 1 : at + segment + 1]
            with torch.autocast(sizes.device, torch.bfloat16, enabled=precision == "bf16"):
                hidden, state = rnn(embedding(x), state)
                logits = output(hidden)
            state = tuple(part.detach() for part in state)
            loss = nn.functional.cross_entropy(logits.flatten(0, 1).float(), y.flatten())
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
        assert loss.item() < 10.0
        return sizes.steps * sizes.streams * segment / (time.perf_counter() - start)

    return run


def seqrnn_loop(directory: str, precision: str, sizes: Sizes) -> tuple[Callable[[], float], np.ndarray]:
    """Return a function that makes the same updates through seqrnn, and the text as ids."""
    settings = {
        "task": "language-model",
        "data.train": (str(sizes.text),),
        "data.format": "text",
        "data.tokenizer": "char",
        "model.hidden_size": sizes.hidden,
        "model.num_layers": sizes.layers,
        "model.embedding_size": EMBEDDING,
        "training.batch_size": sizes.streams,
        "training.segment_length": sizes.segment,
        "training.precision": precision,
        "training.steps": 10**9,
        "training.evaluate_every": 10**9,
    }
    config = resolve([from_defaults(settings)])
    task = LanguageModeling(config)
    prepared = prepare(config.data, task.fields, seed=1)
    model = build_model(config, task).to(sizes.device)
    trainer = Trainer(config, task, model, replace(prepared, valid=None))
    events = trainer.events(RunDirectory(Path(directory)))
    steps = (event for event in events if isinstance(event, Stepped))

    def run() -> float:
        start = time.perf_counter()
        tokens = sum(event.tokens for event in islice(steps, sizes.steps))
        return tokens / (time.perf_counter() - start)

    return run, np.asarray(prepared.train["text"].values)


def compare(directory: str, precision: str, sizes: Sizes) -> list[str]:
    """Return a row: characters a second of both sides, and their ratio."""
    ours, ids = seqrnn_loop(directory, precision, sizes)
    measured = in_turns({"plain": plain_loop(ids, precision, sizes), "seqrnn": ours}, TRIAL_UPDATES)
    medians = [f"{statistics.median(measured[side]):,.0f}" for side in ("plain", "seqrnn")]
    return [precision, *medians, f"{median_ratio(measured['seqrnn'], measured['plain']):.2f}"]


def main() -> None:
    """Measure and write down."""
    rows = [["precision", "plain loop, characters/s", "seqrnn, characters/s", "ratio"]]
    sizes = Sizes()
    with tempfile.TemporaryDirectory() as directory:
        rows += [compare(directory, precision, sizes) for precision in ("fp32", "bf16")]
    title = (
        f"Training a character model (LSTM {sizes.hidden}, {sizes.streams} streams, "
        f"segments of {sizes.segment})"
    )
    write_section("bench_training.py", title, rows)


if __name__ == "__main__":
    main()
