"""Writing a text token by token: seqrnn against plain loops in PyTorch, and against the arithmetic alone.

All draw from a softmax at temperature 0.8. The arithmetic is a step's products of matrices with vectors,
in NumPy: of the input, of the state and for the output. That of the input seqrnn does not compute but looks
up in a table, so its time is also set against the other two alone. In a row all have the same number of
threads, of which more than one is what each has without being told.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import as_in_commands  # noqa: F401
import numpy as np
import torch
from report import in_turns, median_ratio, write_section
from torch import nn

from seqrnn.answering.continuation import Continuation
from seqrnn.answering.opened_run import open_run
from seqrnn.answering.text_generator import TextGenerator
from seqrnn.backends.numpy.backend import open_backend
from seqrnn.cli.process import widen_products
from seqrnn.cli.shared_options import THREADS
from seqrnn.config_file import from_defaults, resolve
from seqrnn.data.dataset.prepare import prepare
from seqrnn.search.generation import Limits
from seqrnn.search.sampling import Sampling
from seqrnn.tasks.language_model import LanguageModeling
from seqrnn.training.session import RunTarget, Session

TRIAL_UPDATES, CHARACTERS = 5, 2000
EMBEDDING, TEMPERATURE = 128, 0.8
SIZES = (256, 512)
TEXT = Path(__file__).parents[2] / "sample_data" / "lighthouse.txt"
KERNELS = {"nn.LSTM": nn.LSTM, "nn.LSTMCell": nn.LSTMCell}


Loop = Callable[[], float]


def seqrnn_loop(hidden_size: int, directory: Path) -> tuple[Loop, int]:
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
    task = LanguageModeling(config)
    session = Session(config, task, prepare(config.data, task.fields, 1))
    for _ in session.train(RunTarget(directory)):
        pass
    run = open_run(directory)
    assert isinstance(run.task, LanguageModeling)
    text = Continuation(TextGenerator(run, open_backend(run)), "", Limits(fixed_len=CHARACTERS))

    def loop() -> float:
        start = time.perf_counter()
        for _ in text.stream(Sampling(TEMPERATURE)):
            pass
        return time.perf_counter() - start

    return loop, len(run.task.text.tokenizer)


def with_threads(loop: Loop, threads: int) -> Loop:
    """Return the same loop in so many threads."""

    def run() -> float:
        torch.set_num_threads(threads)
        widen_products(threads)
        return loop()

    return run


def plain_loop(kernel: str, hidden_size: int, vocabulary_size: int) -> Loop:
    """Return a function that writes with a loop as a tutorial has it, seconds."""
    embedding, output = nn.Embedding(vocabulary_size, EMBEDDING), nn.Linear(hidden_size, vocabulary_size)
    rnn = KERNELS[kernel](EMBEDDING, hidden_size)

    @torch.inference_mode()
    def loop() -> float:
        token, state = torch.zeros(1, dtype=torch.long), None
        start = time.perf_counter()
        for _ in range(CHARACTERS):
            found = rnn(embedding(token), state)
            hidden, state = found if kernel == "nn.LSTM" else (found[0], found)
            token = torch.multinomial(torch.softmax(output(hidden) / TEMPERATURE, dim=1), 1)[:, 0]
        return time.perf_counter() - start

    return loop


def arithmetic(hidden_size: int, vocabulary_size: int, with_input: bool) -> Loop:
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


def measure(hidden_size: int) -> list[list[str]]:
    """Return rows of the table, one for each number of threads."""
    with tempfile.TemporaryDirectory() as directory:
        ours, vocabulary_size = seqrnn_loop(hidden_size, Path(directory) / "run")
    loops = {
        "seqrnn": ours,
        **{kernel: plain_loop(kernel, hidden_size, vocabulary_size) for kernel in KERNELS},
        "arithmetic": arithmetic(hidden_size, vocabulary_size, True),
        "done": arithmetic(hidden_size, vocabulary_size, False),
    }
    choices = sorted({1, THREADS})
    measured = in_turns(
        {(name, count): with_threads(loop, count) for count in choices for name, loop in loops.items()},
        TRIAL_UPDATES,
    )
    rows = []
    for count in choices:
        seconds = measured["seqrnn", count]
        speed = CHARACTERS / statistics.median(seconds)
        ratios = [f"{median_ratio(measured[kernel, count], seconds):.1f}" for kernel in KERNELS]
        over = [f"{median_ratio(seconds, measured[name, count]):.2f}" for name in ("arithmetic", "done")]
        rows.append([str(hidden_size), str(count), f"{speed:,.0f}", *ratios, *over])
    return rows


def main() -> None:
    """Measure and write down."""
    head = ["hidden size", "threads", "seqrnn, characters/s", *(f"times a loop over {k}" for k in KERNELS)]
    rows = [[*head, "time over the arithmetic alone", "time over the products that it computes"]]
    rows += [row for size in SIZES for row in measure(size)]
    write_section("bench_generation.py", "Writing 2,000 characters, one at a time (LSTM)", rows)


if __name__ == "__main__":
    main()
