"""Training on a CPU: `bench_training.py [DATA [CHECKOUT]]`.

Character models: the whole of seqrnn's loop against a plain one over `nn.LSTM`, `nn.GRU` or `nn.RNN` of the
same sizes on the same text. Pronunciations: against a plain loop with input feeding and padding. And, where
an older CHECKOUT is named, taggers and pronunciations against what that trains in the same time. DATA is the
folder of `snips`, `ud_irish` and `cmudict_g2p` (../shared/data); what it does not have is left out.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from input_feeding import input_feeding_loop
from report import ROOT, commit_of, in_turns, median_ratio, write_section
from torch import nn
from training_rate import asked, slots, start

from seqrnn.backends.torch.build import build_model
from seqrnn.backends.torch.device import computes_bfloat16
from seqrnn.config_file import from_defaults, resolve
from seqrnn.data.dataset.prepare import prepare
from seqrnn.run.directory import RunDirectory
from seqrnn.tasks.language_model import LanguageModeling
from seqrnn.training.events import Stepped
from seqrnn.training.trainer import Trainer

SCRIPT = "bench_training.py"
PRONUNCIATIONS = "pronunciations (CMUdict)"
TRIAL_UPDATES = 5
EMBEDDING = 128
PLAIN = {"lstm": nn.LSTM, "gru": nn.GRU, "elman": nn.RNN}
SECONDS, ROUNDS = 3.0, 5  # of a training beside that of another checkout
DATA = ROOT.parent / "shared" / "data"
TEXT = ROOT / "sample_data" / "lighthouse.txt"


@dataclass(frozen=True)
class Sizes:
    """Of a character model, and of its training."""

    cell: str = "lstm"
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
            PLAIN[sizes.cell](EMBEDDING, sizes.hidden, sizes.layers, batch_first=True),
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
            state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
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
        "model.cell": sizes.cell,
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


def character_models() -> None:
    """Measure updates with each cell that has a class in `torch.nn`."""
    rows = [["network", "precision", "plain loop, characters/s", "seqrnn, characters/s", "ratio"]]
    kinds = [("lstm", 256), ("gru", 128), ("gru", 256), ("elman", 128), ("elman", 256)]
    with tempfile.TemporaryDirectory() as directory:
        for cell, hidden in kinds:
            sizes = Sizes(cell, hidden)
            rows.append([f"{cell} {hidden}", *compare(directory, "fp32", sizes)])
            if cell == "lstm" and computes_bfloat16("LSTM"):
                rows.append([f"{cell} {hidden}", *compare(directory, "bf16", sizes)])
    note = f"Threads: {torch.get_num_threads()}.\n\n"
    write_section(SCRIPT, f"Training a character model ({Sizes.streams} x {Sizes.segment})", rows, note)


def works(data: Path) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return what is trained beside another checkout, by name: a task with its settings."""
    irish, words = data / "ud_irish" / "ga-ud-train.conllu", data / "cmudict_g2p" / "g014b2b.train"
    found: dict[str, tuple[Path, str, dict[str, Any]]] = {
        "SNIPS slots": (data / "snips", "tagging", slots(data)),
        "UD Irish": (irish, "tagging", {"data.train": [str(irish)], "data.format": "conllu"}),
        PRONUNCIATIONS: (words, "seq2seq", pronunciations(words)),
    }
    return {name: (task, settings) for name, (path, task, settings) in found.items() if path.exists()}


def pronunciations(words: Path) -> dict[str, Any]:
    """Return the settings of a model that pronounces words."""
    tokens = {"data.tokenizer": "char", "data.target_tokenizer": "word"}
    return {"data.train": [str(words)], "data.format": "tsv", **tokens}


def beside(sides: dict[str, Callable[[], tuple[float, float]]], name: str) -> list[str]:
    """Return a row: tokens a second of two sides in turns, and the ratios of the second to the first."""
    measured = in_turns(sides, ROUNDS)
    (old, old_cpu), (new, new_cpu) = (zip(*figures, strict=True) for figures in measured.values())
    rates = [f"{statistics.median(rate):,.0f}" for rate in (old, new)]
    return [name, *rates, f"{median_ratio(new, old):.2f}", f"{median_ratio(new_cpu, old_cpu):.2f}"]


def with_workers(
    checkouts: dict[str, Path], name: str, data: Path, plain: Callable[..., Any] | None, threads: int | None
) -> list[str]:
    """Return the row of a training by one or two checkouts; a `plain` loop is the first side, where given.

    Without a number of `threads` each uses the cores as it does by default.
    """
    task, settings = works(data)[name]
    settings = {**settings, "training.threads": threads}
    with tempfile.TemporaryDirectory() as folder:
        workers = {side: start(path, task, SECONDS, settings, folder) for side, path in checkouts.items()}
        sides = {} if plain is None else {"plain": plain}
        row = beside({**sides, **{side: asked(worker) for side, worker in workers.items()}}, name)
        for worker in workers.values():
            worker.communicate()
    return row


def against_checkout(data: Path, before: Path) -> None:
    """Measure the trainings of two checkouts in turns, with one thread each and as they use all cores."""
    sides = {"before": before, "this": ROOT}
    rows = [["data", "threads", "before, tokens/s", "this, tokens/s", "ratio", "ratio of CPU time"]]
    for name in works(data):
        for threads in (1, None):
            row = with_workers(sides, name, data, None, threads)
            rows.append([name, "by default" if threads is None else str(threads), *row[1:]])
    note = f'"Before" is commit {commit_of(before)}; each checkout trains with its own defaults.\n\n'
    write_section(SCRIPT, "Training against an earlier commit", rows, note)


def against_input_feeding(data: Path) -> None:
    """Measure pronunciations against a loop as a tutorial writes it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    words = data / "cmudict_g2p" / "g014b2b.train"
    row = with_workers({"this": ROOT}, PRONUNCIATIONS, data, input_feeding_loop(words, SECONDS), 1)
    torch.set_num_threads(threads)
    rows = [["data", "plain loop, tokens/s", "seqrnn, tokens/s", "ratio", "ratio of CPU time"], row]
    title = "Training against a plain loop with input feeding and padding"
    write_section(SCRIPT, title, rows, "One thread each. Tokens are letters and phonemes.\n\n")


def main(data: str = "", before: str = "") -> None:
    """Measure and write down."""
    folder = Path(data) if data else DATA
    character_models()
    if PRONUNCIATIONS in works(folder):
        against_input_feeding(folder)
    if before:
        against_checkout(folder, Path(before))


if __name__ == "__main__":
    main(*sys.argv[1:])
