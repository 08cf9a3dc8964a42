"""Training a character model: the whole of seqrnn's loop against a plain one over `nn.LSTM`.

Same sizes, same text, float32 and bfloat16: what the ratio shows is the cost of everything around the
network (batches, events, bookkeeping), which should be next to nothing.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from report import in_turns, median_ratio, write_section
from torch import nn

from seqrnn.config_file import from_defaults, resolve
from seqrnn.data.dataset.prepare import prepare
from seqrnn.engine.build import build_model
from seqrnn.engine.events import Stepped
from seqrnn.engine.training import Trainer
from seqrnn.run.directory import RunDirectory
from seqrnn.tasks.language_model import LanguageModel

ROUNDS, STEPS = 5, 40
HIDDEN, EMBEDDING, STREAMS, SEGMENT = 256, 128, 32, 64
TEXT = Path(__file__).parents[2] / "sample_data" / "lighthouse.txt"


def plain_loop(ids: np.ndarray, precision: str) -> Callable[[], float]:
    """Return a function that trains with a loop as a tutorial writes it: characters a second."""
    torch.manual_seed(1)
    vocabulary = int(ids.max()) + 1
    embedding, rnn = nn.Embedding(vocabulary, EMBEDDING), nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
    output = nn.Linear(HIDDEN, vocabulary)
    parameters = [*embedding.parameters(), *rnn.parameters(), *output.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=2e-3)
    columns = torch.from_numpy(ids[: len(ids) // STREAMS * STREAMS].astype(np.int64)).view(STREAMS, -1)

    def run() -> float:
        start, state = time.perf_counter(), None
        for step in range(STEPS):
            at = step * SEGMENT % (columns.shape[1] - SEGMENT - 1)
            x, y = columns[:, at : at + SEGMENT], columns[:, at + 1 : at + SEGMENT + 1]
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                hidden, state = rnn(embedding(x), state)
                logits = output(hidden)
            state = tuple(part.detach() for part in state)
            loss = nn.functional.cross_entropy(logits.flatten(0, 1).float(), y.flatten())
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
        return STEPS * STREAMS * SEGMENT / (time.perf_counter() - start)

    return run


def seqrnn_loop(directory: str, precision: str) -> tuple[Callable[[], float], np.ndarray]:
    """Return a function that makes the same updates through seqrnn, and the text as ids."""
    settings = {
        "task": "language-model",
        "data.train": (str(TEXT),),
        "data.format": "text",
        "data.tokenizer": "char",
        "model.hidden_size": HIDDEN,
        "model.embedding_size": EMBEDDING,
        "training.batch_size": STREAMS,
        "training.segment_length": SEGMENT,
        "training.precision": precision,
        "training.steps": 10**9,
        "training.evaluate_every": 10**9,
    }
    config = resolve([from_defaults(settings)])
    task = LanguageModel(config)
    prepared = prepare(config.data, task.fields, seed=1)
    trainer = Trainer(config, task, build_model(config, task), (prepared.train, None))
    events = trainer.events(RunDirectory(Path(directory)))
    steps = (event for event in events if isinstance(event, Stepped))

    def run() -> float:
        start = time.perf_counter()
        tokens = sum(event.tokens for event in islice(steps, STEPS))
        return tokens / (time.perf_counter() - start)

    return run, np.asarray(prepared.train["text"].values)


def main() -> None:
    """Measure and write down."""
    rows = [["precision", "plain loop, characters/s", "seqrnn, characters/s", "ratio"]]
    with tempfile.TemporaryDirectory() as directory:
        for precision in ("fp32", "bf16"):
            ours, ids = seqrnn_loop(directory, precision)
            measured = in_turns({"plain": plain_loop(ids, precision), "seqrnn": ours}, ROUNDS)
            medians = [f"{statistics.median(measured[side]):,.0f}" for side in ("plain", "seqrnn")]
            rows.append([precision, *medians, f"{median_ratio(measured['seqrnn'], measured['plain']):.2f}"])
    title = f"Training a character model (LSTM {HIDDEN}, {STREAMS} streams, segments of {SEGMENT})"
    write_section("bench_training.py", title, rows)


if __name__ == "__main__":
    main()
