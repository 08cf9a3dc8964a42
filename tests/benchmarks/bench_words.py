"""A model of words beside the one of pytorch/examples, in the same time: `bench_words.py FOLDER [SECONDS]`.

FOLDER has `train.txt`, `valid.txt` and `test.txt`, a sentence a line, of words between spaces: the Penn
treebank as language modellers have it, or another text of its size. The other side is a plain loop with the
sizes, the optimizer and the schedule of that repository's `word_language_model`: two LSTM layers of 200
units, gradient descent with a rate of 20, clipped at 0.25, on 20 columns of 35 words, dropout 0.2, and a
quarter of the rate after an epoch without progress. Both sides have one thread, one after the other.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from report import ROOT, write_section
from torch import Tensor, nn

SEQRNN = ROOT / ".venv" / "bin" / "seqrnn"
SIZE, LAYERS, COLUMNS, LENGTH, DROPOUT, RATE, CLIP = 200, 2, 20, 35, 0.2, 20.0, 0.25
State = tuple[Tensor, Tensor]


class WordModel(nn.Module):
    """Embedding, LSTM and output layer, with dropout between them."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(DROPOUT)
        self.embedding = nn.Embedding(words, SIZE)
        self.rnn = nn.LSTM(SIZE, SIZE, LAYERS, dropout=DROPOUT)
        self.output = nn.Linear(SIZE, words)
        for weight in (self.embedding.weight, self.output.weight):
            nn.init.uniform_(weight, -0.1, 0.1)
        nn.init.zeros_(self.output.bias)

    def forward(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Read (T, B): the scores (T * B, V) and the state."""
        y, state = self.rnn(self.dropout(self.embedding(x)), state)
        return self.output(self.dropout(y)).flatten(0, 1), state


def columns_of(ids: Tensor, count: int) -> Tensor:
    """Cut a text (N,) into columns (N // count, count)."""
    return ids[: len(ids) // count * count].view(count, -1).t().contiguous()


@torch.no_grad()
def loss_of(model: WordModel, ids: Tensor) -> float:
    """Return the mean loss of a text, in nats a word."""
    model.eval()
    columns, total = columns_of(ids, 10), 0.0
    state: State | None = None
    for start in range(0, len(columns) - 1, LENGTH):
        x, y = columns[start : start + LENGTH][: len(columns) - 1 - start], columns[start + 1 :][:LENGTH]
        logits, state = model(x, state)
        total += F.cross_entropy(logits, y.flatten(), reduction="sum").item()
    model.train()
    return total / (columns.numel() - columns.shape[1])


def plain(folder: Path, seconds: float) -> tuple[float, int]:
    """Train the plain loop for so long: its perplexity on the test part, and the updates made."""
    words: dict[str, int] = {}
    train, valid, test = (
        torch.tensor(
            [
                words.setdefault(word, len(words))
                for line in (folder / f"{part}.txt").read_text(encoding="utf-8").splitlines()
                for word in [*line.split(), "<eos>"]
            ]
        )
        for part in ("train", "valid", "test")
    )
    torch.manual_seed(1)
    model, rate, best, updates = WordModel(len(words)), RATE, math.inf, 0
    columns, end = columns_of(train, COLUMNS), time.monotonic() + seconds
    while True:
        state: State | None = None
        for start in range(0, len(columns) - 1 - LENGTH, LENGTH):
            x, y = columns[start : start + LENGTH], columns[start + 1 : start + 1 + LENGTH]
            state = None if state is None else (state[0].detach(), state[1].detach())
            logits, state = model(x, state)
            model.zero_grad()
            F.cross_entropy(logits, y.flatten()).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            with torch.no_grad():
                for parameter in model.parameters():
                    assert parameter.grad is not None
                    parameter.add_(parameter.grad, alpha=-rate)
            updates += 1
            if time.monotonic() > end:
                return math.exp(loss_of(model, test)), updates
        loss = loss_of(model, valid)
        rate, best = (rate, loss) if loss < best else (rate / 4, best)


def ours(folder: Path, seconds: float) -> tuple[float, int]:
    """Train with the command: perplexity on the test part, and the updates made."""
    with tempfile.TemporaryDirectory() as directory:
        run = f"{directory}/run"
        task = ["--task", "language-model", "--tokenizer", "word", "--threads", "1"]
        data = [folder / "train.txt", "--valid", folder / "valid.txt", "-o", run]
        subprocess.run([SEQRNN, "train", *data, *task, "--budget", f"{seconds:g}s", "-q"], check=True)
        asked = [SEQRNN, "evaluate", "-m", run, folder / "test.txt", "--json", "-q"]
        told = subprocess.run(asked, check=True, capture_output=True, text=True)
        lines = (Path(run) / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        return json.loads(told.stdout)["perplexity"], max(json.loads(line)["step"] for line in lines)


def main(folder: str = "", seconds: str = "140") -> None:
    """Measure and write down; without a text there is nothing to do."""
    if not folder:
        print("no text named; give a folder with train.txt, valid.txt and test.txt")
        return
    torch.set_num_threads(1)
    (theirs, their_updates), (own, updates) = (side(Path(folder), float(seconds)) for side in (plain, ours))
    rows = [
        ["model", "updates", "perplexity, test part", "ratio"],
        ["as in pytorch/examples", f"{their_updates:,}", f"{theirs:.1f}", "1.00"],
        ["`seqrnn train --tokenizer word --budget`", f"{updates:,}", f"{own:.1f}", f"{own / theirs:.2f}"],
    ]
    lines = Path(folder, "train.txt").read_text(encoding="utf-8").splitlines()
    words = sum(len(line.split()) + 1 for line in lines)
    note = f"{words:,} words to train on, {seconds} seconds of one thread each, one side after the other.\n\n"
    write_section("bench_words.py FOLDER", "A model of words after a short training", rows, note)


if __name__ == "__main__":
    main(*sys.argv[1:])
