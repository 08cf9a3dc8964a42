"""The adding problem: `python sample_data/adding.py --steps 200 --examples 10000 OUT.npz`.

Each of T steps holds a number, uniform in [0, 1], and a mark, 0 or 1. Two numbers are marked, one in
each half; their sum is to be told at the end. Who always answers 1 has a mean squared error of
1/6 = 0.167, the variance of the sum, and the longer the series, the longer a network must remember
what it has seen before it can do better. After Hochreiter and Schmidhuber (1997), "Long Short-Term
Memory", section 5.4.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

import numpy as np


def write(path: Path, steps: int, examples: int, seed: int) -> None:
    """Write `x` (N, T, 2), numbers and marks, and `y` (N,), the sums, T > 1; both are float32."""
    generator = np.random.default_rng(seed)
    x = np.zeros((examples, steps, 2), dtype=np.float32)
    x[:, :, 0] = generator.random((examples, steps), dtype=np.float32)
    rows, half = np.arange(examples), steps // 2
    for places in (generator.integers(0, half, examples), generator.integers(half, steps, examples)):
        x[rows, places, 1] = 1.0
    save(path, x=x, y=(x[:, :, 0] * x[:, :, 1]).sum(axis=1))


def save(path: Path, **arrays: np.ndarray) -> None:
    """Do what `np.savez` does, to the same bytes under every version of Python."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())


def main() -> None:
    """Write a data set as the command line asks for it."""
    parser = argparse.ArgumentParser(description="Write series of the adding problem.")
    parser.add_argument("output", type=Path, help="file to write, .npz")
    parser.add_argument("--steps", type=int, default=200, help="steps of each series (%(default)s)")
    parser.add_argument("--examples", type=int, default=10_000, help="number of series (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives other series (%(default)s)")
    chosen = parser.parse_args()
    if chosen.steps < 2 or chosen.examples < 1:
        parser.error("there must be a series, and two steps in it")
    write(chosen.output, chosen.steps, chosen.examples, chosen.seed)


if __name__ == "__main__":
    main()
