"""A new cell is one file and one line: with them it learns, resumes and answers on every backend.

The tests of all cells are run in a process of their own, in which the catalogue has one more cell.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parent
QUICK = {
    "backends_torch/test_layer_runners.py": "not chosen",
    "backends_numpy/test_layers_in_numpy.py": "",
    "backends_onnx/test_onnx.py": "check and not any or ends_at_its_length",
    "contract/test_contract.py": "saved and (language or seq2seq)",
    "training/test_training.py": "new_cell",
    "answering/test_state_file.py": "whichever",
}


def run_for_new_cell(files, *options):
    """Run the tests of `files` that are for the new cell, and return how many passed."""
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    paths = [str(TESTS / file) for file in files]
    command = [sys.executable, "-m", "pytest", "-p", "with_fast_weights", *paths, *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_new_cell_is_one_file_and_one_line():
    words = [f"({Path(file).stem} and ({which or 'fast'}))" for file, which in QUICK.items()]
    output = run_for_new_cell(QUICK, "-k", f"fast-weights and ({' or '.join(words)})")
    assert " passed" in output


@pytest.mark.slow
def test_a_new_cell_is_in_the_contract_of_every_task():
    folders = ["contract", "backends_torch", "backends_numpy", "backends_onnx"]
    run_for_new_cell(folders, "-k", "fast-weights")


def test_the_new_cell_touches_nothing_else():
    """What it is made of: a file that imports the contract alone, and a line in the catalogue."""
    line = (HERE / "with_fast_weights.py").read_text().splitlines()[-1]
    assert line == 'CELLS["fast-weights"] = "fast_weights:FastWeights"'
    lines = (HERE / "fast_weights.py").read_text().splitlines()
    imports = [text for text in lines if text.startswith("from seqrnn")]
    assert imports == ["from seqrnn.cells.cell import Cell, split"]
