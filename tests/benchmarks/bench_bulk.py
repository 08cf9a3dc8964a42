"""Labelling many lines: seqrnn against a padded loop over `nn.LSTM` with the same weights.

The loop is what a person would write: batches of 64 in the order of the file, padded to the longest line,
tokens from the same `tokenizers` library, labels by `argmax`. The lines are all different: each is the
beginning of one SNIPS utterance and the end of another where the data lie beside the project, and of mails of
`sample_data` where not. The loop has its lines in memory, and its labels are Python's strings at the end.
seqrnn reads and writes files; the last row is the whole command, with starting Python.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import as_in_commands  # noqa: F401
import tokenizers
import torch
from report import ROOT, in_turns, median_ratio, write_section
from safetensors.torch import load_file
from torch import nn

from seqrnn.answering.answering_threads import SideBySide
from seqrnn.answering.labeller import Labeller
from seqrnn.answering.opened_run import open_run
from seqrnn.backends.numpy.backend import open_backend
from seqrnn.cli.rows import RowFormat, answer_rows
from seqrnn.cli.shared_options import THREADS
from seqrnn.cli.stdio import OutputStream
from seqrnn.library.rows import RowAnswerer
from seqrnn.tasks.classification import Classification
from seqrnn.tasks.task import LabelSelection

TRIAL_UPDATES, LINES, SAMPLE, BATCH = 5, 100_000, 20_000, 64
SNIPS = ROOT.parent / "shared" / "data" / "snips" / "train"
MAILS = ROOT / "sample_data" / "mails.train.tsv"
SIZES = ["--unidirectional", "--layers", "1", "--hidden-size", "256", "--steps", "300", "--quiet"]

Labels = Callable[[list[str]], list[str]]


def train(run: Path) -> list[str]:
    """Train an LSTM of one layer and 256 units; return the texts that it learnt from."""
    if SNIPS.is_dir():
        files = ["--src", str(SNIPS / "seq.in"), "--tgt", str(SNIPS / "label")]
        texts = (SNIPS / "seq.in").read_text(encoding="utf-8").splitlines()
    else:
        files = [str(MAILS)]
        texts = [line.split("\t")[0] for line in MAILS.read_text(encoding="utf-8").splitlines()]
    subprocess.run([sys.executable, "-m", "seqrnn", "train", *files, "-o", run, *SIZES], check=True)
    return texts


def spliced(texts: list[str], count: int) -> list[str]:
    """Return that many different lines, each the first half of one text and the second of another."""
    generator, words = random.Random(1), [text.split() for text in texts]
    lines: dict[str, None] = {}
    while len(lines) < count:
        first, last = generator.choice(words), generator.choice(words)
        lines[" ".join(first[: len(first) // 2] + last[len(last) // 2 :])] = None
    return list(lines)


def padded_loop(run: Path) -> Labels:
    """Return the loop over PyTorch, with the weights of a run."""
    labels = json.loads((run / "labels.json").read_text(encoding="utf-8"))["labels"]
    (generation,) = sorted(run.glob("gen-*"))[-1:]
    weights = load_file(generation / "model.safetensors")
    embedding = nn.Embedding.from_pretrained(weights["embedding.table.weight"])
    rnn = nn.LSTM(embedding.embedding_dim, 256, batch_first=True)
    rnn.load_state_dict({name: weights[f"rnn.layers.0.0.{name}"] for name in rnn.state_dict()})
    head = nn.Linear(256, len(labels))
    head.load_state_dict({name: weights[f"head.1.{name}"] for name in ("weight", "bias")})
    tokenizer = tokenizers.Tokenizer.from_file(str(run / "tokenizer.json"))

    @torch.inference_mode()
    def label(lines: list[str]) -> list[str]:
        found = []
        for start in range(0, len(lines), BATCH):
            encoded = tokenizer.encode_batch(lines[start : start + BATCH])
            ids = [torch.tensor(encoding.ids) for encoding in encoded]
            lengths = torch.tensor([len(row) for row in ids])
            padded = nn.utils.rnn.pad_sequence(ids, batch_first=True)
            hidden, _ = rnn(embedding(padded))
            outside = torch.arange(padded.shape[1]) >= lengths[:, None]
            pooled = hidden.masked_fill(outside[:, :, None], -torch.inf).max(dim=1).values
            found += head(pooled).argmax(dim=1).tolist()
        return [labels[number] for number in found]

    return label


def seqrnn_rows(run: Path, path: Path, threads: int) -> Labels:
    """Return what labels the lines in the file `path`, which are given, in this process."""
    opened = open_run(run)
    task = opened.task
    assert isinstance(task, Classification)
    labeller = Labeller(task, open_backend(opened))
    write = partial(task.write, probs=False)
    layout = RowFormat(False, None, "text", task.plain_fields, write)
    answers = path.with_suffix(".labels")

    def label(_: list[str]) -> list[str]:
        with OutputStream(str(answers)) as out:
            answerer = RowAnswerer(task.check, partial(labeller.answer, choice=LabelSelection()))
            answer_rows(str(path), out, layout, answerer, SideBySide(threads))
        return answers.read_text(encoding="utf-8").splitlines()

    return label


def write(path: Path, lines: list[str]) -> Path:
    """Write lines to a file."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def command(run: Path, path: Path, threads: int) -> Labels:
    """Return what runs the whole command on the file `path`."""
    answers = path.with_suffix(".labels")
    parts = ["classify", "-m", run, path, "-o", answers, "--threads", str(threads), "--quiet"]

    def label(_: list[str]) -> list[str]:
        subprocess.run([sys.executable, "-m", "seqrnn", *map(str, parts)], check=True)
        return answers.read_text(encoding="utf-8").splitlines()

    return label


def timed(label: Labels, lines: list[str], threads: int | None = None) -> Callable[[], float]:
    """Return a function that labels the lines, and returns lines a second."""

    def run() -> float:
        if threads is not None:
            torch.set_num_threads(threads)
        start = time.perf_counter()
        found = label(lines)
        seconds = time.perf_counter() - start
        assert len(found) == len(lines)
        return len(lines) / seconds

    return run


def main() -> None:
    """Measure and write down."""
    with tempfile.TemporaryDirectory() as directory:
        run = Path(directory) / "run"
        lines = spliced(train(run), LINES)
        some = lines[:SAMPLE]
        file = write(Path(directory) / "some.txt", some)
        ours = {threads: seqrnn_rows(run, file, threads) for threads in sorted({1, THREADS})}
        loop = padded_loop(run)
        differing = sum(a != b for a, b in zip(ours[1](some), loop(some), strict=True))
        assert differing <= SAMPLE // 1000, f"{differing} labels differ"  # scores may be equal to rounding
        sides = {f"padded loop, {t} thread(s)": timed(loop, some, t) for t in ours}
        sides |= {f"seqrnn, {t} thread(s)": timed(label, some) for t, label in ours.items()}
        whole = f"the command, start-up included, {THREADS} thread(s)"
        sides[whole] = timed(command(run, write(Path(directory) / "lines.txt", lines), THREADS), lines)
        measured = in_turns(sides, TRIAL_UPDATES)
    loops = [name for name in sides if name.startswith("padded")]
    rows = [["", "lines", "lines/s", *(f"times the {name}" for name in loops)]]
    for name, speeds in measured.items():
        ratios = [f"{median_ratio(speeds, measured[other]):.2f}" for other in loops]
        count = LINES if name == whole else SAMPLE
        rows.append([name, f"{count:,}", f"{statistics.median(speeds):,.0f}", *ratios])
    kind = "SNIPS" if SNIPS.is_dir() else "mails"
    title = f"Labelling lines like {kind} (LSTM 256 over words, one layer)"
    write_section("bench_bulk.py", title, rows)


if __name__ == "__main__":
    main()
