"""Training on a GPU, in under four minutes: `bench_gpu.py [DATA [CHECKOUT]]`.

A language model against a loop as a tutorial writes it; a batch of sequences of different lengths against
packed sequences; slots against an older CHECKOUT of seqrnn, where one is named; and what half a minute of
training makes of a text. DATA is the folder of `snips` and `tinyshakespeare` (../shared/data).
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from bench_training import Sizes, compare
from report import ROOT, commit_of, in_turns, median_ratio, write_section
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from training_rate import asked, start
from training_rate import slots as slots_of

from seqrnn.backends.torch.device import choose_device
from seqrnn.backends.torch.rnn import RNN
from seqrnn.cells.sizes import RNNSizes

TRIAL_UPDATES = 5
SLOT_ROUNDS = 2
SLOT_SECONDS = 2.5
BUDGET = 30  # seconds
TRAININGS = ("", "--hidden-size 320 --batch-size 24")
RAGGED = {
    # name: (rows, longest, features, hidden size)
    "120 words of 1 to 15 characters": (120, 15, 50, 100),
    "16 sentences of 1 to 30 words": (16, 30, 328, 256),
    "256 sentences of 1 to 30 words": (256, 30, 328, 256),
}


def tell(title: str, rows: list[list[str]], note: str = "") -> None:
    """Write a section of the page, which says what it was measured on."""
    device = f"{torch.cuda.get_device_name()}, torch {torch.__version__}, "
    write_section("bench_gpu.py", title, rows, note, device)


def language_models(data: Path) -> None:
    """Measure updates of two language models."""
    text = data / "tinyshakespeare" / "input.txt"
    models = [
        Sizes("lstm", 320, 1, 24, 64, 200, "cuda", text),
        Sizes("lstm", 1024, 2, 128, 128, 40, "cuda", text),
    ]
    rows = [["network", "streams x segment", "plain loop, characters/s", "seqrnn, characters/s", "ratio"]]
    with tempfile.TemporaryDirectory() as directory:
        for sizes in models:
            _, *figures = compare(directory, "bf16", sizes)
            name = f"{sizes.layers} x LSTM {sizes.hidden}"
            rows.append([name, f"{sizes.streams} x {sizes.segment}", *figures])
    tell("On a GPU: training a character model, bfloat16", rows)


def both_ways(rows: int, longest: int, features: int, hidden: int) -> dict[str, Callable[[], float]]:
    """Return two functions that run forwards and backwards over a batch: milliseconds."""
    device = choose_device("cuda")
    lengths = torch.arange(rows).mul(7).remainder(longest).add(1).sort(descending=True).values
    there = lengths.to(device)
    x = torch.randn(rows, longest, features, device=device)
    ours = RNN("lstm", RNNSizes(features, hidden, bidirectional=True)).to(device)
    theirs = nn.LSTM(features, hidden, batch_first=True, bidirectional=True).to(device)

    def packed(x: Tensor) -> Tensor:
        output, _ = theirs(pack_padded_sequence(x, lengths, batch_first=True))
        return pad_packed_sequence(output, batch_first=True)[0]

    def timed(run: Callable[[Tensor], Tensor]) -> Callable[[], float]:
        def repeated(times: int = 20) -> float:
            torch.cuda.synchronize()
            start = time.perf_counter()
            for _ in range(times):
                run(x).sum().backward()  # type: ignore[no-untyped-call]
            torch.cuda.synchronize()
            return 1000.0 * (time.perf_counter() - start) / times

        return repeated

    return {"packed": timed(packed), "seqrnn": timed(lambda x: ours(x, there)[0])}


def ragged_batches() -> None:
    """Measure a layer in both directions over sequences of different lengths."""
    table = [["batch", "packed nn.LSTM, ms", "seqrnn, ms", "packed over seqrnn"]]
    for name, sizes in RAGGED.items():
        measured = in_turns(both_ways(*sizes), TRIAL_UPDATES)
        medians = [f"{statistics.median(measured[side]):.2f}" for side in ("packed", "seqrnn")]
        table.append([name, *medians, f"{median_ratio(measured['packed'], measured['seqrnn']):.2f}"])
    tell("On a GPU: sequences of different lengths, forwards and backwards", table)


def slots(data: Path, before: Path | None) -> None:
    """Measure the training of a tagger, as its defaults are and with larger batches."""
    checkouts = {"this": ROOT} if before is None else {"before": before, "this": ROOT}
    batches: dict[str, dict[str, int]] = {"its own batches": {}, "batches of 64": {"training.batch_size": 64}}
    with tempfile.TemporaryDirectory() as directory:
        workers = {
            f"{name}, {size}": start(
                checkout, "tagging", SLOT_SECONDS, {**slots_of(data), **given}, f"{directory}/{size}"
            )
            for name, checkout in checkouts.items()
            for size, given in batches.items()
        }
        measured = in_turns({name: asked(worker) for name, worker in workers.items()}, SLOT_ROUNDS)
        for worker in workers.values():
            worker.communicate()
    rates = {name: [by_clock for by_clock, _ in figures] for name, figures in measured.items()}
    first = next(iter(rates))
    rows = [["checkout", "tokens/s", f"times {first}"]]
    for name, figures in rates.items():
        rows.append(
            [name, f"{statistics.median(figures):,.0f}", f"{median_ratio(figures, rates[first]):.1f}"]
        )
    note = "" if before is None else f'"Before" is commit {commit_of(before)}. '
    tell(
        "On a GPU: training on SNIPS slots",
        rows,
        f"{note}A tagger's own batches have 32 sentences, before it 16.\n\n",
    )


def half_a_minute(data: Path) -> None:
    """Measure what the command makes of a text in that time, its start included and not."""
    rows = [["command", "nats a character", "updates", "seconds, all in all"]]
    command = [sys.executable, "-m", "seqrnn", "train", str(data / "tinyshakespeare" / "input.txt")]
    for flags in TRAININGS:
        with tempfile.TemporaryDirectory() as directory:
            run, start = Path(directory) / "run", time.perf_counter()
            given = ["--budget", f"{BUDGET}s", *flags.split()]
            subprocess.run([*command, *given, "-o", str(run)], cwd=ROOT, check=True)
            seconds = time.perf_counter() - start
            lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        found = f"{lines[-1]['loss']:.4f}", f"{max(line['step'] for line in lines):,}"
        rows.append([f"`seqrnn train {' '.join(given)}`", *found, f"{seconds:.1f}"])
    tell(f"On a GPU: tiny Shakespeare after {BUDGET} seconds", rows)


def main(data: str = "", before: str = "") -> None:
    """Measure and write down."""
    if not torch.cuda.is_available():
        print("bench_gpu.py: left out, there is no CUDA device here")
        return
    folder = Path(data) if data else ROOT.parent / "shared" / "data"
    print(torch.cuda.get_device_name())
    ragged_batches()
    language_models(folder)
    slots(folder, Path(before) if before else None)
    half_a_minute(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
