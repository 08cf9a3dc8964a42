"""Writing a text token by token: seqrnn against plain loops in PyTorch, and against the arithmetic alone.

All draw from a softmax at temperature 0.8. The arithmetic is a step's products of matrices with vectors,
in NumPy: of the input, of the state and for the output. That of the input seqrnn does not compute but looks
up in a table, so its time is also set against the other two alone. PyTorch runs with one thread, as seqrnn
does, and with its own choice.
"""

from __future__ import annotations

import os

os.environ.pop("OMP_NUM_THREADS", None)  # before NumPy and PyTorch are imported
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from report import in_turns, median_ratio, write_section
from torch import nn

from seqrnn.answering.continuer import Continuer
from seqrnn.answering.opened_run import open_run
from seqrnn.cli.continuation import Text
from seqrnn.config_file import from_defaults, resolve
from seqrnn.data.prepare import prepare
from seqrnn.engine.session import Place, Session
from seqrnn.runtime.backend import open_backend
from seqrnn.search.generation import Limits
from seqrnn.search.sampling import Sampling
from seqrnn.tasks.language_model import LanguageModel

ROUNDS, CHARACTERS = 5, 2000
EMBEDDING, TEMPERATURE = 128, 0.8
SIZES = (256, 512)
TEXT = Path(__file__).parents[2] / "sample_data" / "lighthouse.txt"
KERNELS = {"nn.LSTM": nn.LSTM, "nn.LSTMCell": nn.LSTMCell}


def seqrnn_loop(hidden_size: int, directory: Path) -> tuple[Callable[[], float], int]:
    """Return a function that writes with seqrnn, seconds, and the size of the vocabulary."""
    settings = {
        "task": "language-model",
        "data.train": (str(TEXT),),
        "data.format": "text",
        "data.source_kind": "text",
        "data.tokenizer": "char",
        "model.hidden_size": hidden_size,
        "model.embedding_size": EMBEDDING,
        "training.steps": 1,
        "training.device": "cpu",
    }
    config = resolve([from_defaults(settings)])
    task = LanguageModel(config)
    session = Session(config, task, prepare(config.data, task.fields, 1))
    for _ in session.train(Place(directory)):
        pass
    run = open_run(directory)
    assert isinstance(run.task, LanguageModel)
    text = Text(Continuer(run, open_backend(run)), "", Limits(fixed_len=CHARACTERS))

    def loop() -> float:
        start = time.perf_counter()
        for _ in text.pieces(Sampling(TEMPERATURE)):
            pass
        return time.perf_counter() - start

    return loop, len(run.task.text.tokenizer)


def plain_loop(kernel: str, hidden_size: int, vocabulary_size: int, threads: int) -> Callable[[], float]:
    """Return a function that writes with a loop as a tutorial has it, seconds."""
    embedding, output = nn.Embedding(vocabulary_size, EMBEDDING), nn.Linear(hidden_size, vocabulary_size)
    rnn = KERNELS[kernel](EMBEDDING, hidden_size)

    @torch.inference_mode()
    def loop() -> float:
        torch.set_num_threads(threads)
        token, state = torch.zeros(1, dtype=torch.long), None
        start = time.perf_counter()
        for _ in range(CHARACTERS):
            found = rnn(embedding(token), state)
            hidden, state = found if kernel == "nn.LSTM" else (found[0], found)
            token = torch.multinomial(torch.softmax(output(hidden) / TEMPERATURE, dim=1), 1)[:, 0]
        return time.perf_counter() - start

    return loop


def arithmetic(hidden_size: int, vocabulary_size: int, with_input: bool) -> Callable[[], float]:
    """Return a function that computes nothing but the products, with or without the input's, seconds."""
    generator = np.random.default_rng(1)
    x, h = (generator.random((1, size), dtype=np.float32) for size in (EMBEDDING, hidden_size))
    w_x, w_h = (
        generator.random((size, 4 * hidden_size), dtype=np.float32) for size in (EMBEDDING, hidden_size)
    )
    w_o = generator.random((hidden_size, vocabulary_size), dtype=np.float32)

    def loop() -> float:
        start = time.perf_counter()
        for _ in range(CHARACTERS):
            if with_input:
                x @ w_x
            h @ w_h, h @ w_o
        return time.perf_counter() - start

    return loop


def measure(hidden_size: int, choices: list[int]) -> list[str]:
    """Return a row of the table."""
    with tempfile.TemporaryDirectory() as directory:
        ours, vocabulary_size = seqrnn_loop(hidden_size, Path(directory) / "run")
    sides = {"seqrnn": ours, "arithmetic": arithmetic(hidden_size, vocabulary_size, True)}
    sides["done"] = arithmetic(hidden_size, vocabulary_size, False)
    for threads in choices:
        for kernel in KERNELS:
            sides[f"{kernel} {threads}"] = plain_loop(kernel, hidden_size, vocabulary_size, threads)
    measured = in_turns(sides, ROUNDS)
    speed = CHARACTERS / statistics.median(measured["seqrnn"])
    ratios = [median_ratio(measured[f"{k} {t}"], measured["seqrnn"]) for k in KERNELS for t in choices]
    over = [median_ratio(measured["seqrnn"], measured[products]) for products in ("arithmetic", "done")]
    figures = [*(f"{ratio:.1f}" for ratio in ratios), *(f"{ratio:.2f}" for ratio in over)]
    return [str(hidden_size), f"{speed:,.0f}", *figures]


def main() -> None:
    """Measure and write down."""
    choices = sorted({1, torch.get_num_threads()})
    head = ["hidden size", "seqrnn, characters/s"]
    head += [f"times a loop over {k}, threads: {t}" for k in KERNELS for t in choices]
    rows = [[*head, "time over the arithmetic alone", "time over the products that it computes"]]
    rows += [measure(size, choices) for size in SIZES]
    write_section("bench_generation.py", "Writing 2,000 characters, one at a time (LSTM)", rows)


if __name__ == "__main__":
    main()
