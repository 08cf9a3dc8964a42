"""Training with two workers on two cores against one process with one thread.

Both sides make their updates in turns in one run, in float32 without dropout: with the same batch the losses
are the same, and with twice the batch each worker computes as much as the one process.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from report import ROOT, median_ratio, write_section
from torch._C._distributed_c10d import PrefixStore

from seqrnn.catalog import TASKS, load
from seqrnn.config_file import from_defaults, resolve
from seqrnn.data.dataset.prepare import prepare
from seqrnn.training.data_parallel import DataParallelWorkers, device_of
from seqrnn.training.events import Stepped
from seqrnn.training.rendezvous import Rendezvous
from seqrnn.training.session import RunTarget, Session
from seqrnn.training.worker_loop import run_worker_loop
from seqrnn.training.worker_processes import WorkerRanks
from seqrnn.training.workers import Workers

ROUNDS = 2
DATA = ROOT.parent / "shared" / "data"
COMMON = {
    "model.dropout": 0.0,
    "model.embedding_dropout": 0.0,
    "model.word_dropout": 0.0,
    "data.valid_fraction": 0.0,
    "training.precision": "fp32",
    "training.device": "cpu",
    "training.threads": 1,
    "training.batch_tokens": 1 << 20,
}


@dataclass(frozen=True)
class Work:
    """What is trained, and how many updates a round has."""

    name: str
    file: Path
    batch: int
    updates: int
    settings: dict[str, object]


def works(data: Path) -> list[Work]:
    """Return a language model and a pronouncing model; public data if they are there, else samples."""
    text, words = data / "tinyshakespeare" / "input.txt", data / "cmudict_g2p" / "g014b2b.train"
    return [
        Work(
            "language model, LSTM 320, 24 streams of 64",
            text if text.exists() else ROOT / "sample_data" / "lighthouse.txt",
            24,
            10,
            {
                "task": "language-model",
                "data.format": "text",
                "data.tokenizer": "char",
                "model.hidden_size": 320,
            },
        ),
        Work(
            "pronunciations, BiLSTM and LSTM 256, 128 words",
            words if words.exists() else ROOT / "sample_data" / "dates.train.tsv",
            128,
            2,
            {
                "task": "seq2seq",
                "data.format": "tsv",
                "data.tokenizer": "char",
                "data.target_tokenizer": "word" if words.exists() else "char",
                "model.bidirectional": True,
                "model.attention": "general",
                "model.hidden_size": 256,
            },
        ),
    ]


def session(work: Work, batch: int, workers: Workers | None) -> Session:
    """Build a training that lasts for all rounds."""
    own = {"data.train": (str(work.file),), "training.batch_size": batch, "training.steps": steps(work)}
    config = resolve([from_defaults({**COMMON, **work.settings, **own})])
    task = load(TASKS[config.task])(config)
    return Session(config, task, replace(prepare(config.data, task.fields, 1), valid=None), workers=workers)


def steps(work: Work) -> int:
    """Return the updates of all rounds, the first of which does not count."""
    return work.updates * (ROUNDS + 1)


def measured(events: Iterator[Stepped], work: Work, losses: list[float]) -> tuple[float, float]:
    """Return the tokens of a round by second, and by second of this process's CPU time."""
    start, spent, tokens = time.perf_counter(), time.process_time(), 0
    for event in islice(events, work.updates):
        tokens += event.tokens
        losses.append(event.loss)
    return tokens / (time.perf_counter() - start), tokens / (time.process_time() - spent)


def compare(work: Work, times: int, meet: Callable[[str], DataParallelWorkers]) -> list[str] | None:
    """Return a row: tokens a second of both sides with `times` the batch, and by how much losses differ."""
    workers = meet(f"{work.name} {times}")
    together = session(work, times * work.batch, workers)
    if not workers.leads:
        run_worker_loop(together.trainer, workers)
        workers.close()
        return None
    with tempfile.TemporaryDirectory() as directory:
        sides = {1: session(work, work.batch, None), 2: together}
        events = {
            count: (e for e in side.train(RunTarget(Path(directory, str(count)))) if isinstance(e, Stepped))
            for count, side in sides.items()
        }
        rates: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
        losses: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(ROUNDS + 1):
            for count, steps_of in events.items():
                rates[count].append(measured(steps_of, work, losses[count]))
        for steps_of in events.values():
            list(steps_of)  # the checkpoint at the end
    workers.close()
    apart = max(abs(a - b) / abs(a) for a, b in zip(*losses.values(), strict=True))
    (alone, alone_by_cpu), (both, both_by_cpu) = (zip(*rates[count][1:], strict=True) for count in (1, 2))
    return [
        work.name,
        "the same" if times == 1 else "twice",
        *(f"{statistics.median(rate):,.0f}" for rate in (alone, both)),
        f"{median_ratio(both, alone):.2f}",
        f"{median_ratio(both_by_cpu, alone_by_cpu):.2f}",
        f"{apart:.0e}" if times == 1 else "-",
    ]


def main() -> None:
    """Measure and write down; start the other worker first."""
    ranks, data = WorkerRanks.of_environment(os.environ), Path(sys.argv[1]) if sys.argv[1:] else DATA
    if ranks.count == 1:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        os.environ |= {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": "1"}
        subprocess.Popen([sys.executable, __file__, str(data)])
        os.environ["RANK"] = "0"
        ranks = WorkerRanks.of_environment(os.environ)
    rendezvous = Rendezvous(ranks)
    rendezvous.set_ready()
    while not rendezvous.is_complete():
        time.sleep(0.05)

    def meet(name: str) -> DataParallelWorkers:
        return DataParallelWorkers(PrefixStore(name, rendezvous.store), ranks, device_of("cpu", ranks))

    rows = [compare(work, times, meet) for work in works(data) for times in (1, 2)]
    if ranks.rank == 0:
        head = [
            "model",
            "batch",
            "one process, tokens/s",
            "two workers, tokens/s",
            "ratio",
            "by CPU time",
            "losses differ by",
        ]
        load = f"{os.getloadavg()[0]:.0f} processes wanted the two cores at the end. "
        note = "By CPU time, the tokens by second that each computes: the ratio if nobody waits for a core."
        table = [head, *(row for row in rows if row)]
        write_section("bench_workers.py", "Two workers on two cores", table, f"{load}{note}\n\n")


if __name__ == "__main__":
    main()
